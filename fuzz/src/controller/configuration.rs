//! What holds of any text as a configuration.

use std::path::Path;

use filter_policy::config::{Config, MOST_AUDIENCES};
use jiff::Timestamp;

/// Seconds from one time that is looked at to the next, so that all hours and days come.
const STEP: i64 = 7 * 3600 + 11;

/// Reads the text, and looks who meets which lists at times of two weeks.
///
/// # Panics
/// If what is read is not within its bounds, or not read the same again.
pub fn check(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let path = Path::new("/etc/namegate/config.toml");
    let config = match Config::parse(text, path) {
        Ok(config) => config,
        Err(error) => return assert!(error.to_string().contains("config.toml"), "{error}"),
    };
    assert_eq!(
        Config::parse(text, path).ok().as_ref(),
        Some(&config),
        "the same text again"
    );
    let audiences = config.audiences().len();
    assert!(
        (1..=MOST_AUDIENCES).contains(&audiences),
        "{audiences} classes"
    );
    for at in (0..48).map(|step| Timestamp::from_second(step * STEP).expect("a time")) {
        for (group, met) in config.audiences_of_all(at).into_iter().enumerate() {
            let is_known = |audience: u32| audience < audiences as u32;
            assert!(
                (0..MOST_AUDIENCES as u32).all(|audience| is_known(audience) || !met.has(audience)),
                "group {group}"
            );
        }
    }
}
