//! One format a file: each reads lines, and hands what they say to a [`Reading`].

mod adblock;
mod bind;
mod dnscrypt;
mod dnsmasq;
mod maltrail;
mod plain;
mod privoxy;
mod regex;
mod rpz;
mod tpl;
mod unbound;
mod v2fly;
mod words;

pub(super) use adblock::is_rule as is_adblock;
pub(super) use unbound::is_directive;
pub(super) use words::{Words, is_address, unusable_word};

use super::{
    Format, Unusable,
    reading::{Reading, Taken},
};

/// Reads a list of one format, line by line.
pub(super) trait FormatReader {
    /// Takes what a line says, which comes without its end.
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken;

    /// True if the last line was a part of an entry that goes on.
    fn is_within_entry(&self) -> bool {
        false
    }

    /// Takes what is left when there are no more lines.
    fn end(&mut self, _reading: &mut Reading<'_>) -> Taken {
        Ok(())
    }
}

impl<F: Fn(&[u8], &mut Reading<'_>) -> Taken> FormatReader for F {
    fn line(&mut self, line: &[u8], reading: &mut Reading<'_>) -> Taken {
        self(line, reading)
    }
}

pub(super) fn reader(format: Format) -> Box<dyn FormatReader> {
    match format {
        Format::Hosts | Format::Domains | Format::Wildcard => Box::new(plain::line),
        Format::AdBlock => Box::new(adblock::line),
        Format::Dnsmasq => Box::new(dnsmasq::line),
        Format::Unbound => Box::new(unbound::Statements::default()),
        Format::Rpz => Box::new(rpz::Zone::default()),
        Format::Bind => Box::new(bind::Statements::default()),
        Format::Dnscrypt => Box::new(dnscrypt::line),
        Format::Regex => Box::new(regex::line),
        Format::V2fly => Box::new(v2fly::line),
        Format::Maltrail => Box::new(maltrail::line),
        Format::Tpl => Box::new(tpl::line),
        Format::Privoxy => Box::new(privoxy::Sections::default()),
    }
}

/// Leaves out a line of which only the start was read, unless it is a comment.
pub(super) fn long_line(start: &[u8], reading: &mut Reading<'_>) -> Taken {
    match start.trim_ascii_start() {
        [b'#' | b'!' | b';', ..] => Ok(()),
        _ => reading.without_rule(Unusable::LineTooLong, start),
    }
}
