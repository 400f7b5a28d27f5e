//! Response policy zones: what their records say about query names.
//!
//! `x` is about x alone and `*.x` about the names below it. What answers otherwise than the name's
//! owner blocks; the action PASSTHRU allows. Triggers that are not about query names are counted by
//! theirs.
//!
//! Lines of the kind that zones are full of, `x CNAME .`, are read here. Every other entry, in one
//! line or in several, is given to the crate `domain`, with the owner and the origin that hold
//! there.

mod entry;
mod record;
mod words;

use entry::{Entry, Names};
use record::{Policy, Record};

use super::FormatReader;
use crate::{
    MAX_LINE, NameError, Scope, Unusable,
    reading::{Guard, Meaning, Reading, Stop, Taken},
};

/// A zone that is being read. Names are without a dot at the end, and the root is empty.
pub(super) struct Zone {
    /// What relative names are below.
    origin: String,
    /// The first origin but the root that is said.
    first_origin: Option<String>,
    /// The zone's own name, once its SOA record has told it.
    apex: Option<String>,
    /// The owner of the last record, which is that of a record without one.
    owner: String,
    /// An entry that goes on in the next line.
    open: Option<Open>,
}

struct Open {
    text: Vec<u8>,
    depth: u32,
}

/// What a zone is called as long as it does not tell its name: short, since names may have 255
/// octets with it.
const UNNAMED: &str = "-";

impl Default for Zone {
    fn default() -> Self {
        Self {
            origin: UNNAMED.into(),
            first_origin: None,
            apex: None,
            owner: UNNAMED.into(),
            open: None,
        }
    }
}

impl FormatReader for Zone {
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken {
        if self.open.is_none()
            && let Some((owner, target)) = record::plain(line)
        {
            return self.plain(owner, target, reading);
        }
        let open = self.open.take();
        let (mut text, depth) = open.map_or((Vec::new(), 0), |open| (open.text, open.depth));
        let depth = words::depth_after(line, depth);
        // What does not fit any more is read to its end all the same, and left out.
        if text.len() <= MAX_LINE {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        if depth > 0 {
            self.open = Some(Open { text, depth });
            return Ok(());
        }
        self.entry(&text, reading)
    }

    fn is_within_entry(&self) -> bool {
        self.open.is_some()
    }

    fn end(&mut self, reading: &mut Reading<'_>) -> Taken {
        match self.open.take() {
            Some(open) => reading.unreadable_record("a parenthesis is not closed", &open.text),
            None => Ok(()),
        }
    }
}

impl Zone {
    fn entry(&mut self, text: &[u8], reading: &mut Reading<'_>) -> Taken {
        if text.len() > MAX_LINE {
            return reading.without_rule(Unusable::LineTooLong, text);
        }
        let names = Names {
            origin: &self.origin,
            owner: &self.owner,
        };
        match entry::read(text, &names) {
            Entry::Nothing => Ok(()),
            Entry::Origin(origin) => {
                if !origin.is_empty() {
                    self.first_origin.get_or_insert_with(|| origin.clone());
                }
                self.origin = origin;
                Ok(())
            }
            Entry::Include => Err(Stop::Include),
            Entry::Directive(name) => reading.without_rule(Unusable::Setting(name), text),
            Entry::Unreadable(error) => reading.unreadable_record(&error, text),
            Entry::Record { owner, record } => {
                let taken = self.record(&owner, &record, text, reading);
                self.owner = owner;
                taken
            }
        }
    }

    /// `x CNAME TARGET`, as most lines are.
    fn plain(&mut self, owner: &[u8], target: &[u8], reading: &mut Reading<'_>) -> Taken {
        self.owner.clear();
        self.owner.push_str(&String::from_utf8_lossy(owner));
        if self.owner.ends_with('.') {
            self.owner.pop();
        } else {
            let is_below_the_apex = self.apex() == self.origin;
            append(&mut self.owner, &self.origin);
            if is_below_the_apex {
                return trigger(
                    owner,
                    record::policy_of(target, owner, reading),
                    owner,
                    reading,
                );
            }
        }
        self.owned(&self.owner, owner, reading, |trigger, reading| {
            record::policy_of(target, trigger, reading)
        })
    }

    fn record(
        &mut self,
        owner: &str,
        record: &Record,
        text: &[u8],
        reading: &mut Reading<'_>,
    ) -> Taken {
        if *record == Record::Soa {
            if self.first_origin.is_none() && !self.origin.is_empty() {
                owner.clone_into(&mut self.origin);
            }
            self.apex = Some(owner.to_owned());
            return Ok(());
        }
        self.owned(owner, text, reading, |trigger, reading| {
            record.policy(trigger, reading)
        })
    }

    /// The zone's name, as far as it is told.
    fn apex(&self) -> &str {
        self.apex
            .as_ref()
            .or(self.first_origin.as_ref())
            .unwrap_or(&self.origin)
    }

    /// Takes a record of an absolute name.
    fn owned(
        &self,
        owner: &str,
        text: &[u8],
        reading: &mut Reading<'_>,
        policy: impl FnOnce(&[u8], &Reading<'_>) -> Result<Policy, Unusable>,
    ) -> Taken {
        let apex = self.apex();
        if owner.eq_ignore_ascii_case(apex) {
            return Ok(());
        }
        match below(owner, apex) {
            Some(name) => trigger(
                name.as_bytes(),
                policy(name.as_bytes(), reading),
                text,
                reading,
            ),
            None => reading.without_rule(Unusable::OutsideZone, text),
        }
    }
}

/// What stands before the apex in a name below it.
fn below<'a>(owner: &'a str, apex: &str) -> Option<&'a str> {
    let at = owner.len().checked_sub(apex.len())?;
    let (name, end) = owner.split_at_checked(at)?;
    let is_below = end.eq_ignore_ascii_case(apex) && !name.is_empty();
    if apex.is_empty() {
        is_below.then_some(name)
    } else {
        name.strip_suffix('.').filter(|_| is_below)
    }
}

/// The absolute name that a name is, relative to the origin.
fn absolute(name: &str, origin: &str) -> String {
    let mut name = name.to_owned();
    append(&mut name, origin);
    name
}

fn append(name: &mut String, origin: &str) {
    if !origin.is_empty() {
        name.push('.');
        name.push_str(origin);
    }
}

/// Takes what is said about a trigger: a query name, or something else that its last label tells.
fn trigger(
    name: &[u8],
    policy: Result<Policy, Unusable>,
    text: &[u8],
    reading: &mut Reading<'_>,
) -> Taken {
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let other = ["rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip"];
    if let Some(kind) = other
        .into_iter()
        .find(|kind| last.eq_ignore_ascii_case(kind.as_bytes()))
    {
        return reading.without_rule(Unusable::Setting(kind), text);
    }
    let Policy {
        action,
        answer,
        has_data,
    } = match policy {
        Ok(policy) => policy,
        Err(reason) => return reading.without_rule(reason, text),
    };
    let meaning = |scope, guard| Meaning {
        answer,
        has_data,
        ..Meaning::new(scope, action, guard)
    };
    match name {
        b"*" => reading.without_rule(Unusable::TooGeneral, text),
        [b'*', b'.', parent @ ..] => reading.name(parent, meaning(Scope::Subdomains, Guard::Open)),
        name if name.contains(&b'*') => {
            reading.without_rule(Unusable::Name(NameError::BadCharacter), text)
        }
        name => reading.name(name, meaning(Scope::Name, Guard::Registries)),
    }
}

#[cfg(test)]
mod tests;
