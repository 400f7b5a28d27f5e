//! What people are told of interfaces, on standard error and by `status`.

use std::io::Write as _;

use super::decide::{Loss, Standing};
use crate::kernel::{Attachment, program_name};

/// Says it on standard error. Where nobody reads, the filter goes on.
pub(super) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "namegate: {text}");
}

/// What is wrong with an interface; nothing if it is filtered under its name.
pub(super) fn problem(name: &str, standing: &Standing) -> Option<String> {
    match standing {
        Standing::Filtered => None,
        Standing::Renamed { to } => Some(format!(
            "it is called `{to}` now, and filtered still; rename it to `{name}`, or start namegate with `{to}`"
        )),
        Standing::Missing => Some(
            "there is no such interface; it is filtered as soon as it appears".to_owned(),
        ),
        Standing::Moved => Some(
            "it was moved to another network namespace, and is not filtered there; it is filtered again as soon as it is back"
                .to_owned(),
        ),
        Standing::Failed { why } => Some(why.clone()),
    }
}

/// What has become of an interface, in a sentence; nothing if all is as it was.
pub(super) fn change(
    name: &str,
    (before, after): (&Standing, &Standing),
    loss: Option<Loss>,
    attachment: Option<&Attachment>,
) -> Option<String> {
    if before == after && loss.is_none() {
        return None;
    }
    let reason = loss.map(|loss| lost(name, loss));
    let now = match after {
        Standing::Filtered => {
            let mode = attachment.map_or("", |it| it.mode.as_str());
            filtered(name, before, loss, mode)
        }
        Standing::Renamed { to } => {
            format!("`{name}` is called `{to}` now, and filtered still")
        }
        Standing::Missing if loss.is_some() => {
            "it is filtered again as soon as it appears".to_owned()
        }
        Standing::Missing => format!(
            "nothing is filtered on `{name}`, which is not there; it is filtered as soon as it appears"
        ),
        Standing::Moved => format!("it is filtered again as soon as `{name}` is back"),
        Standing::Failed { why } => {
            format!(
                "`{name}` is not filtered: {why}; namegate tries again when the interface changes"
            )
        }
    };
    Some(
        reason
            .into_iter()
            .chain([now])
            .collect::<Vec<_>>()
            .join("; "),
    )
}

fn filtered(name: &str, before: &Standing, loss: Option<Loss>, mode: &str) -> String {
    match (loss, before) {
        (None, Standing::Renamed { to }) => format!("`{to}` is called `{name}` again"),
        (None, _) => format!("`{name}` is there, and filtered ({mode})"),
        (Some(_), _) => format!("`{name}` is filtered again ({mode})"),
    }
}

fn lost(name: &str, loss: Loss) -> String {
    match loss {
        Loss::Deleted => format!("`{name}` was deleted"),
        Loss::Moved => format!("`{name}` was moved to another network namespace"),
        Loss::Detached => format!("something else detached the program from `{name}`"),
        Loss::Replaced { by } => format!(
            "something else put the program `{}` (id {by}) on `{name}`",
            program_name(by)
        ),
        Loss::NameTaken => format!("another interface is called `{name}` now"),
        Loss::NamedOtherwise => {
            format!("`{name}` has the name of another interface that is to be filtered now")
        }
    }
}

/// A default route has come, or the last one has gone.
pub(super) fn clients(name: &str, are_answered: bool) -> String {
    if are_answered {
        format!("no default route leads by `{name}` any more, so clients are answered there again")
    } else {
        format!(
            "the default route leads by `{name}` now, so nobody is answered there, and what is blocked is dropped, until it is \
             gone: start with `--clients {name}` if clients are behind it"
        )
    }
}

/// Answers that the driver sends may not arrive.
pub(in crate::controller) fn missed_answers(name: &str) -> String {
    format!(
        "`{name}` is a veth that is filtered in its driver: its other end takes answers only if it has an XDP program, too; \
         where it has none, start namegate again, which attaches in generic mode then"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(before: &Standing, after: &Standing, loss: Option<Loss>) -> Option<String> {
        change("lan", (before, after), loss, None)
    }

    #[test]
    fn nothing_is_said_where_all_is_as_it_was() {
        for standing in [
            Standing::Filtered,
            Standing::Missing,
            Standing::Failed { why: "x".into() },
        ] {
            assert_eq!(said(&standing, &standing, None), None);
        }
    }

    #[test]
    fn each_change_is_a_sentence_that_names_the_interface() {
        let all = [
            Standing::Filtered,
            Standing::Renamed { to: "eth1".into() },
            Standing::Missing,
            Standing::Moved,
            Standing::Failed { why: "x".into() },
        ];
        for before in &all {
            for after in all.iter().filter(|after| *after != before) {
                let said = said(before, after, None).unwrap();
                assert!(said.contains("`lan`"), "{said}");
            }
            let back = said(before, &Standing::Filtered, Some(Loss::Detached)).unwrap();
            assert_eq!(
                back,
                "something else detached the program from `lan`; `lan` is filtered again ()"
            );
        }
    }

    #[test]
    fn only_an_interface_that_is_filtered_under_its_name_has_no_problem() {
        assert_eq!(problem("lan", &Standing::Filtered), None);
        let renamed = Standing::Renamed { to: "eth1".into() };
        assert!(problem("lan", &renamed).unwrap().contains("`eth1`"));
        assert!(problem("lan", &Standing::Missing).is_some());
        assert!(problem("lan", &Standing::Moved).is_some());
    }
}
