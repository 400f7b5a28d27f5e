mod actions;
mod audiences;
mod clock_changes;
mod faults;
mod files;
mod members;
mod times;

use std::path::Path;

use super::{Config, ConfigError};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("etc/namegate.toml"))
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The error without the name of the file and without the column.
fn fault(text: &str) -> String {
    let error = parse(text)
        .map(|config| panic!("{config:?}\n{text}"))
        .unwrap_err()
        .to_string();
    let rest = error
        .strip_prefix("the configuration `etc/namegate.toml`, ")
        .unwrap();
    let (line, rest) = rest.split_once(", column ").unwrap();
    let (column, fault) = rest.split_once(": ").unwrap();
    assert!(
        column.parse::<u32>().is_ok_and(|column| column > 0),
        "{error}"
    );
    format!("{line}: {fault}")
}
