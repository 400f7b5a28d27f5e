//! The paths of the API.

/// How the controller is.
pub const STATUS: &str = "/v1/status";
/// What was counted.
pub const STATS: &str = "/v1/stats";
/// The rules, and the names that are added by hand.
pub const RULES: &str = "/v1/rules";
/// What a name would meet.
pub const TEST: &str = "/v1/test";
/// Why a name is blocked or not.
pub const EXPLAIN: &str = "/v1/explain";
/// Reading the policy again.
pub const RELOAD: &str = "/v1/reload";
/// The policy before the last reload.
pub const ROLLBACK: &str = "/v1/rollback";
/// What is blocked, as it happens.
pub const EVENTS: &str = "/v1/events";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_paths_are_those_that_the_document_has() {
        let document = include_str!("../../docs/api.md");
        let requests = document
            .lines()
            .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
        let documented: BTreeSet<_> = requests
            .filter_map(|request| Some(request.split_once(' ')?.1))
            .collect();
        let paths = [
            STATUS, STATS, RULES, TEST, EXPLAIN, RELOAD, ROLLBACK, EVENTS,
        ];
        assert_eq!(documented, BTreeSet::from(paths));
    }
}
