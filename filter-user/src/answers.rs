//! What the controller has, as the API says it.

use filter_api::{
    reload::{RuleAction, Undoing, UndoingRule},
    rules::{NameAction, RuleSource},
};
use filter_lists::{Action, Scope};
use filter_policy::compiled::Rule;
use serde::Serialize;

use crate::check::Undone;

/// A rule, and where it came from.
pub fn rule_source(rule: Rule<'_>) -> RuleSource {
    RuleSource {
        rule: rule.rule.into(),
        scope: rule.scope.map_or("pattern", Scope::as_str).into(),
        action: rule.action.as_str().into(),
        list: rule.list.into(),
        line: rule.line,
    }
}

/// Rules of lists that undo rules of other lists.
pub fn undoing(Undone { count, first }: Undone) -> Undoing {
    let examples = first.into_iter().map(|it| UndoingRule {
        message: it.to_string(),
        list: it.list,
        line: it.line,
        rule: it.rule.text,
        action: rule_action(it.rule.action),
        undone_list: it.at.list,
        undone_line: it.at.line,
        undone_rule: it.undone.text,
    });
    Undoing {
        count,
        examples: examples.collect(),
    }
}

const fn rule_action(action: Action) -> RuleAction {
    match action {
        Action::Audit => RuleAction::Audit,
        Action::Block => RuleAction::Block,
        Action::Allow => RuleAction::Allow,
        Action::BlockImportant => RuleAction::BlockImportant,
        Action::AllowImportant => RuleAction::AllowImportant,
    }
}

/// What the rule of a name does that is added by hand.
pub const fn action(action: NameAction) -> Action {
    match action {
        NameAction::Block => Action::Block,
        NameAction::Allow => Action::Allow,
    }
}

/// Appends the object and a line end.
pub fn push_line(line: &impl Serialize, out: &mut Vec<u8>) {
    // Our own types have string keys only and cannot fail.
    if serde_json::to_writer(&mut *out, line).is_ok() {
        out.push(b'\n');
    }
}
