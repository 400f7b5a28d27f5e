//! What a file is that is no list: told by how it begins, before anybody looks for rules in it.
//!
//! Servers answer with a page, a JSON error or an archive where a list should be. Some lines of
//! such a file look like names or patterns, so a format that is looked for in it is found.

use std::{borrow::Cow, fmt};

use serde::de::IgnoredAny;

/// One byte in so many may be a control character in a text, so that a stray one costs its line and
/// not the list.
const CONTROL_CHARACTERS: usize = 100;

/// What has a tag at the start of more than one line in so many is a part of a page.
const LINES_WITH_TAGS: usize = 20;

/// Starts of lines, in lower case, that only pages have.
const TAGS_OF_PAGES: [&[u8]; 4] = [b"<!doctype", b"<html", b"<head>", b"<body"];

/// Suffixes of files that hold other files, or one in a compressed form.
const PACKED: [&str; 17] = [
    "7z", "Z", "ar", "bz2", "cab", "cpio", "crx", "deb", "gz", "lz", "lz4", "lzma", "rar", "rpm",
    "tar", "xz", "zip",
];

/// What a file is instead of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A page, or a part of one.
    Html,
    /// Other XML.
    Xml,
    /// One JSON value or several.
    Json,
    /// Text whose characters have two bytes each.
    Utf16,
    /// An archive, or a compressed file, with the suffix of its kind.
    Packed(&'static str),
    /// Anything else that is no text, with its media type.
    Binary(Option<&'static str>),
}

/// What the file is that begins like this, unless it may be a list.
pub(super) fn of(head: &[u8]) -> Option<Content> {
    if is_utf_16(head) {
        return Some(Content::Utf16);
    }
    if is_binary(head) {
        return Some(binary(head));
    }
    let text = head
        .strip_prefix(super::lines::BYTE_ORDER_MARK)
        .unwrap_or(head)
        .trim_ascii_start();
    if text.starts_with(b"%PDF-") {
        return Some(Content::Binary(Some("application/pdf")));
    }
    markup(text).or_else(|| is_json(text).then_some(Content::Json))
}

/// With a byte order mark, or with a zero byte in each of the first characters.
fn is_utf_16(head: &[u8]) -> bool {
    let (characters, _) = head.as_chunks();
    let some = characters.get(..4).unwrap_or_default();
    matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || !some.is_empty()
            && (some.iter().all(|[low, high]| *low != 0 && *high == 0)
                || some.iter().all(|[high, low]| *low != 0 && *high == 0))
}

fn is_binary(head: &[u8]) -> bool {
    // DOS ends a text with 0x1a, terminals take 0x1b for colours.
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f);
    let controls = head.iter().filter(|byte| is_control(byte)).count();
    head.contains(&0) || controls * CONTROL_CHARACTERS > head.len()
}

fn binary(head: &[u8]) -> Content {
    let Some(kind) = infer::get(head) else {
        return Content::Binary(None);
    };
    match PACKED
        .into_iter()
        .find(|suffix| *suffix == kind.extension())
    {
        Some(suffix) => Content::Packed(suffix),
        None => Content::Binary(Some(kind.mime_type())),
    }
}

/// What begins with a tag, behind comments as lists have them, or has a page's frame anywhere.
fn markup(text: &[u8]) -> Option<Content> {
    memchr::memchr(b'<', text)?;
    let lines = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_start);
    let begins_page = |line: &[u8]| {
        TAGS_OF_PAGES.iter().any(|tag| {
            line.get(..tag.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(tag))
        })
    };
    let first = lines
        .clone()
        .find(|line| !matches!(line, [] | [b'#' | b'!' | b';', ..]))?;
    let is_page = lines.clone().any(begins_page);
    if first.starts_with(b"<?xml") && !is_page {
        return Some(Content::Xml);
    }
    let tags = lines.clone().filter(|line| is_tag(line)).count();
    (is_page || is_tag(first) || tags * LINES_WITH_TAGS > lines.count()).then_some(Content::Html)
}

/// True for a line that begins with a tag, a comment or an instruction. No format has a rule that
/// does.
fn is_tag(line: &[u8]) -> bool {
    matches!(line, [b'<', next, ..] if next.is_ascii_alphabetic() || b"!?/".contains(next))
}

fn is_json(text: &[u8]) -> bool {
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return false;
    }
    match serde_json::Deserializer::from_slice(text)
        .into_iter::<IgnoredAny>()
        .next()
    {
        Some(Ok(_)) => true,
        // The start of a file ends where it is cut.
        Some(Err(error)) => error.is_eof(),
        None => false,
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Cow<'_, str> = match self {
            Self::Html => "is an HTML page and no list: open it to see what it says, and fetch the list itself".into(),
            Self::Xml => "is XML and no list: fetch the list in another format".into(),
            Self::Json => "is JSON and no list: look at what it says, and fetch the list in another format".into(),
            Self::Utf16 => "is UTF-16 text: convert it with `iconv -f UTF-16 -t UTF-8`".into(),
            Self::Packed(kind) => {
                format!("is a {kind} file: unpack it first (plain text, gzip and zstd are read)").into()
            }
            Self::Binary(Some(kind)) => format!("is a binary file ({kind}) and no list: name a text file").into(),
            Self::Binary(None) => "is a binary file and no list: name a text file".into(),
        };
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_whatever_stands_before_their_first_tag() {
        for text in [
            "<!DOCTYPE html>\n<html>",
            "\u{feff}\n  <html><head>",
            "# moved\n! see\n\n<HTML>",
            "<p>Not found</p>\n",
            "<!-- generated -->\na.example\n",
            "<?php echo 1 ?>\n",
            "a.example\n<body class=\"x\">\n",
            "the middle\n</p>\nof a page\n",
        ] {
            assert_eq!(of(text.as_bytes()), Some(Content::Html), "{text}");
        }
        assert_eq!(of(b"<?xml version=\"1.0\"?>\n<rss>\n"), Some(Content::Xml));
        assert_eq!(
            of(b"<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n"),
            Some(Content::Html)
        );
    }

    #[test]
    fn json_is_told_whole_or_cut() {
        for text in [
            "{\"message\": \"Not Found\"}",
            "[]",
            " {\"a\": [1, 2",
            "{}\n{}\n",
            "[\"a.example\",\n\"b.example\"]",
        ] {
            assert_eq!(of(text.as_bytes()), Some(Content::Json), "{text}");
        }
    }

    #[test]
    fn lists_may_begin_like_something_else() {
        for text in [
            "",
            "[Adblock Plus 2.0]\n||a.example^\n",
            "{+block{ads}}\n.a.example\n",
            "[2001:db8::1]\n",
            "a.example\n\x1a",
            "BM.example\nMZ.example\n",
            "##<div\na.example##.x\n",
            "# caf\u{e9} <html>\na.example # <html>\n",
            "a.example\x07\na.example\na.example\na.example\na.example\na.example\na.example\na.example\na.example\na.example\n",
        ] {
            assert_eq!(of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(of(b"# caf\xe9\na.example\n"), None, "Latin-1");
    }

    #[test]
    fn archives_and_binaries_are_told_by_their_kind() {
        let mut tar = vec![b'a'; 600];
        tar[100..].fill(0);
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(of(&tar), Some(Content::Packed("tar")));
        assert_eq!(of(b"7z\xbc\xaf\x27\x1c\0\x04"), Some(Content::Packed("7z")));
        assert_eq!(
            of(b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
            Some(Content::Packed("gz"))
        );
        assert_eq!(
            of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            Some(Content::Binary(Some("image/png")))
        );
        assert_eq!(
            of(b"%PDF-1.7\n"),
            Some(Content::Binary(Some("application/pdf")))
        );
        assert_eq!(of(b"a.example\n\0\0\0\0\0"), Some(Content::Binary(None)));
        assert_eq!(of(b"\x01\x02\x03 a.example"), Some(Content::Binary(None)));
    }

    #[test]
    fn text_in_two_bytes_a_character_is_told_with_a_mark_and_without() {
        let bytes = |swap: bool| -> Vec<u8> {
            let bytes = |unit: u16| {
                if swap {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            };
            "0.0.0.0 a.example\n"
                .encode_utf16()
                .flat_map(bytes)
                .collect()
        };
        for swap in [false, true] {
            assert_eq!(of(&bytes(swap)), Some(Content::Utf16));
        }
        assert_eq!(
            of(&[&[0xff, 0xfe], &bytes(false)[..]].concat()),
            Some(Content::Utf16)
        );
        assert_eq!(
            of(&[&[0xfe, 0xff], &bytes(true)[..]].concat()),
            Some(Content::Utf16)
        );
    }
}
