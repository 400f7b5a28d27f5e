//! The records of an answer (RFC 1035 §4.1.3).

use super::{
    Answering,
    edns::{COOKIE_BYTES, OPT, OPT_BYTES, OPTION_BYTES},
};
use crate::{
    abi::ListName,
    dns::{HEADER_BYTES, QUESTION_TAIL_BYTES, RECORD_HEAD_BYTES},
    maps::Maps,
    name::NAME_OCTETS,
    packet::Replace,
    scratch::Edns,
};

/// The bits of a compression pointer (RFC 1035 §4.1.4).
const POINTER: u16 = 0xc000;
/// A pointer to the question's name, the first behind the header.
pub(super) const QUESTION: [u8; 2] = (POINTER | HEADER_BYTES as u16).to_be_bytes();
/// What every receiver takes (RFC 1035 §4.2.1).
const LEAST_SIZE: u32 = 512;
/// What we take ourselves.
const OUR_SIZE: u16 = 1232;

/// Types of records (IANA, DNS Parameters).
pub(super) mod kind {
    pub const A: u16 = 1;
    pub const AAAA: u16 = 28;
    /// RFC 1035 §3.2.3; an answer may have any records (RFC 8482).
    pub const ANY: u16 = 255;
}

/// INTERNET (RFC 1035 §3.2.4), and any class.
pub(super) const IN: u16 = 1;
pub(super) const ANY_CLASS: u16 = 255;

/// RFC 6891 §9: BADVERS is 16, of which the OPT record has the upper bits and the header the lower
/// four.
const BAD_VERSION_UPPER: u8 = 1;
/// Option code of the Extended DNS Error (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;
const EXTENDED_ERROR_BYTES: u32 = OPTION_BYTES + 2;

/// A pointer to the question's name, and the fixed fields of a record.
pub(super) const RECORD_START_BYTES: u32 = 2 + RECORD_HEAD_BYTES;
/// The SOA record: a pointer, the fixed fields, `namegate.invalid.`, the root, and five numbers.
pub(super) const SOA_BYTES: usize = RECORD_START_BYTES as usize + SOA_DATA_BYTES as usize;
const SOA_DATA_BYTES: u16 = 18 + 1 + 20;

const LONGEST: u32 = HEADER_BYTES
    + NAME_OCTETS
    + QUESTION_TAIL_BYTES
    + SOA_BYTES as u32
    + OPT_BYTES
    + COOKIE_BYTES
    + EXTENDED_ERROR_BYTES
    + ListName::MOST as u32;
const _: () = assert!(
    LONGEST <= LEAST_SIZE && RECORD_START_BYTES + 16 <= SOA_BYTES as u32,
    "no answer is truncated"
);

impl<'f, F: Replace, M: Maps> Answering<'f, F, M> {
    /// The start of an address record, up to the length of its data.
    #[inline(always)]
    pub(super) fn record_head(
        &self,
        kind: u16,
        data_bytes: u8,
    ) -> [u8; RECORD_START_BYTES as usize] {
        let ([q0, q1], [t0, t1, t2, t3]) = (QUESTION, self.settings.answer_ttl().to_be_bytes());
        [
            q0, q1, 0, kind as u8, 0, IN as u8, t0, t1, t2, t3, 0, data_bytes,
        ]
    }

    /// A pointer to the zone of what does not exist: the name above that of the rule, which has the
    /// records of the zone and so has to exist. Where the rule is about no part of the question, it
    /// is the name above that.
    #[inline(always)]
    pub(super) fn zone(&self, at: u32) -> Option<[u8; 2]> {
        let name = &self.scratch.name;
        let of_question = self.scratch.record == 0;
        let offset = match name.found().labels {
            1 if of_question => name.len() - 1,
            // A label starts behind its length. Where names that pass are reported, one that was
            // cut may have been read since.
            labels if of_question && (2..=name.labels()).contains(&labels) => {
                name.label_start(name.labels() - labels + 1) - 1
            }
            _ => {
                let [label] = self.read(at + HEADER_BYTES)?;
                if label == 0 {
                    0
                } else {
                    1 + u32::from(label & 0x3f)
                }
            }
        };
        Some((POINTER | (HEADER_BYTES + offset) as u16).to_be_bytes())
    }

    /// For how long a negative answer holds (RFC 2308 §3): a zone of this owner, by
    /// `namegate.invalid.`
    #[inline(always)]
    pub(super) fn soa(&self, owner: [u8; 2]) -> [u8; SOA_BYTES] {
        let ([q0, q1], [t0, t1, t2, t3]) = (owner, self.settings.answer_ttl().to_be_bytes());
        let [d0, d1] = SOA_DATA_BYTES.to_be_bytes();
        [
            // Owner, SOA, IN, TTL, and the length of what follows.
            q0, q1, 0, 6, 0, 1, t0, t1, t2, t3, d0, d1, //
            8, b'n', b'a', b'm', b'e', b'g', b'a', b't', b'e', 7, b'i', b'n', b'v', b'a', b'l',
            b'i', b'd', 0, //
            // Nobody's mailbox, serial number 1, refresh, retry, expire, and the TTL of negative
            // answers.
            0, //
            0, 0, 0, 1, 0, 0, 0x0e, 0x10, 0, 0, 0x02, 0x58, 0, 0x01, 0x51, 0x80, t0, t1, t2, t3,
        ]
    }

    /// Writes the OPT record at `at`, with what the policy was; gives its end.
    #[inline(always)]
    pub(super) fn opt(
        &mut self,
        at: u32,
        edns: Edns,
        is_bad_version: bool,
        is_brief: bool,
    ) -> Option<u32> {
        /// The DO bit goes back as it came (RFC 3225 §3).
        const DNSSEC_OK: u8 = 0x80;

        let says_why = !is_bad_version && !is_brief;
        let text = if says_why && self.settings.names_lists() {
            self.list_name()
        } else {
            &ListName::NONE
        };
        let len = text.len().min(ListName::MOST as u32);
        let cookie = edns.cookie_bytes;
        let options = cookie
            + if says_why {
                EXTENDED_ERROR_BYTES + len
            } else {
                0
            };
        let upper = if is_bad_version { BAD_VERSION_UPPER } else { 0 };
        let [s0, s1] = OUR_SIZE.to_be_bytes();
        let flags = edns.flags as u8 & DNSSEC_OK;
        let text = *text.text();
        self.write(
            at,
            [
                0,
                0,
                OPT as u8,
                s0,
                s1,
                upper,
                0,
                flags,
                0,
                0,
                options as u8,
            ],
        )?;
        let cookie_at = at + OPT_BYTES;
        if cookie > 0 {
            self.copy_of_message(edns.cookie_at, cookie, cookie_at)?;
        }
        let option_at = cookie_at + cookie;
        if !says_why {
            return Some(option_at);
        }
        let [c0, c1] = self.scratch.actions.code().to_be_bytes();
        self.write(
            option_at,
            [0, EXTENDED_ERROR as u8, 0, len as u8 + 2, c0, c1],
        )?;
        self.write(option_at + EXTENDED_ERROR_BYTES, text)?;
        Some(option_at + EXTENDED_ERROR_BYTES + len)
    }

    /// The name of the list that the rule is of, if that list says what becomes of the name.
    #[inline(always)]
    fn list_name(&self) -> &'f ListName {
        let (found, maps) = (self.scratch.name.found(), self.maps);
        let name = maps.list_name(found.list, self.generation());
        name.filter(|name| name.audience() == found.audience())
            .unwrap_or(&ListName::NONE)
    }
}
