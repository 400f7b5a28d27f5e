//! The program that gives a profile of Firefox a certificate authority.

use super::Need;

const PROGRAM: &str = "certutil";

/// certutil of NSS.
pub struct Certutil;

impl Need for Certutil {
    fn name(&self) -> &'static str {
        PROGRAM
    }

    /// It has no option that tells its version, and fails also where it helps.
    fn version(&self) -> Option<String> {
        let output = lab::program(PROGRAM).arg("-H").output().ok()?;
        let help = [output.stdout, output.stderr].concat();
        let is_nss = String::from_utf8_lossy(&help).contains("certificate");
        is_nss.then(|| "of NSS".to_owned())
    }

    fn packages(&self) -> Vec<String> {
        vec!["libnss3-tools".to_owned()]
    }

    fn by_hand(&self, debian: bool) -> Option<String> {
        (!debian)
            .then(|| format!("the program `{PROGRAM}` of NSS (Debian's package libnss3-tools)"))
    }
}
