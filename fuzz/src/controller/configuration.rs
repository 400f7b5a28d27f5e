//! What holds of any text as a configuration.

use std::path::Path;

use filter_user::config::{Config, MOST_CLASSES};
use jiff::Timestamp;

/// Seconds from one time that is looked at to the next, so that all hours and days come.
const STEP: i64 = 7 * 3600 + 11;

/// Reads the text, and looks who meets which lists at times of two weeks.
///
/// # Panics
/// If what is read is not within its bounds, or not read the same again.
pub fn check(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    let path = Path::new("/etc/namegate/config.toml");
    let config = match Config::parse(text, path) {
        Ok(config) => config,
        Err(error) => return assert!(error.to_string().contains("config.toml"), "{error}"),
    };
    assert_eq!(Config::parse(text, path).ok().as_ref(), Some(&config), "the same text again");
    let classes = config.classes().len();
    assert!((1..=MOST_CLASSES).contains(&classes), "{classes} classes");
    for at in (0..48).map(|step| Timestamp::from_second(step * STEP).expect("a time")) {
        for (group, met) in config.classes_of_all(at).into_iter().enumerate() {
            let is_known = |class: u32| class < classes as u32;
            assert!((0..MOST_CLASSES as u32).all(|class| is_known(class) || !met.has(class)), "group {group}");
        }
    }
}
