//! Telling the expressions that say no more than a name.

use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Look, Repetition};

use super::{
    Pattern,
    alphabet::{any, is_fail, restrict, within_label},
    general,
};
use crate::Scope;

/// What the expression says, if that is less than a pattern can say.
pub(super) fn reduce(hir: &Hir) -> Option<Pattern> {
    let hir = restrict(hir);
    if is_fail(&hir) {
        return Some(Pattern::Nothing);
    }
    if general::is_general(&hir) {
        return Some(Pattern::TooGeneral);
    }
    let parts = parts(&hir);
    let (end, parts) = parts.split_last()?;
    if *end.kind() != HirKind::Look(Look::End) {
        return None;
    }
    let (name, before) = parts.split_last()?;
    let HirKind::Literal(name) = name.kind() else {
        return None;
    };
    let name = str::from_utf8(&name.0).ok()?;
    match (boundary(before)?, name.strip_prefix('.')) {
        (Boundary::Nothing, Some(parent)) => named(parent, Scope::Subdomains),
        (Boundary::Start, None) => named(name, Scope::Name),
        (Boundary::Label, None) => named(name, Scope::Subtree),
        (Boundary::Below, None) => named(name, Scope::Subdomains),
        _ => None,
    }
}

fn named(name: &str, scope: Scope) -> Option<Pattern> {
    let has_labels = !name.is_empty() && name.split('.').all(|label| !label.is_empty());
    has_labels.then(|| Pattern::Name(name.to_owned(), scope))
}

/// What has to stand before the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    /// Anything.
    Nothing,
    /// Nothing at all.
    Start,
    /// Nothing, or labels with their dot.
    Label,
    /// Labels with their dot.
    Below,
}

fn boundary(before: &[Hir]) -> Option<Boundary> {
    match before {
        [] => Some(Boundary::Nothing),
        [start] if is_start(start) => Some(Boundary::Start),
        [anything] if is_anything(anything) => Some(Boundary::Nothing),
        [start, anything] if is_start(start) && is_anything(anything) => Some(Boundary::Nothing),
        [way] if is_start_or_dot(way) => Some(Boundary::Label),
        [start, labels] if is_start(start) => labels_before(labels),
        _ => None,
    }
}

/// `^(.+\.)?` and `^([^.]+\.)*`, and the same with `+`.
fn labels_before(hir: &Hir) -> Option<Boundary> {
    let HirKind::Repetition(Repetition { min, max, sub, .. }) = hir.kind() else {
        return None;
    };
    let [some, dot] = parts(sub) else {
        return None;
    };
    let all = is_anything(some) && matches!((min, max), (0, Some(1) | None) | (1, None));
    let each = is_some_of(some, &within_label()) && max.is_none();
    match (is_dot(dot) && (all || each), min) {
        (true, 0) => Some(Boundary::Label),
        (true, 1) => Some(Boundary::Below),
        _ => None,
    }
}

/// The expressions that follow each other.
fn parts(hir: &Hir) -> &[Hir] {
    match hir.kind() {
        HirKind::Empty => &[],
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(hir),
    }
}

fn is_start(hir: &Hir) -> bool {
    *hir.kind() == HirKind::Look(Look::Start)
}

fn is_dot(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Literal(literal) if *literal.0 == *b".")
}

fn is_start_or_dot(hir: &Hir) -> bool {
    let HirKind::Alternation(ways) = hir.kind() else {
        return false;
    };
    matches!(&ways[..], [one, other] if (is_start(one) && is_dot(other)) || (is_dot(one) && is_start(other)))
}

/// `.*`, and `.+` where a name has a character in any case.
fn is_anything(hir: &Hir) -> bool {
    is_some_of(hir, &any())
}

fn is_some_of(hir: &Hir, class: &ClassBytes) -> bool {
    let HirKind::Repetition(Repetition {
        min: 0 | 1,
        max: None,
        sub,
        ..
    }) = hir.kind()
    else {
        return false;
    };
    matches!(sub.kind(), HirKind::Class(Class::Bytes(bytes)) if bytes == class)
}
