//! Modifiers of rules.

/// What the modifiers of a rule add to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Modifiers {
    pub important: bool,
    pub cancels: bool,
}

/// The names that are counted, each for itself and its short forms.
const NAMES: [&str; 77] = [
    "1p",
    "3p",
    "all",
    "app",
    "badfilter",
    "beacon",
    "client",
    "content",
    "cookie",
    "cname",
    "css",
    "csp",
    "ctag",
    "data",
    "denyallow",
    "dnsrewrite",
    "dnstype",
    "doc",
    "document",
    "domain",
    "ehide",
    "elemhide",
    "empty",
    "extension",
    "first-party",
    "font",
    "frame",
    "from",
    "genericblock",
    "generichide",
    "ghide",
    "header",
    "hls",
    "image",
    "important",
    "inline-font",
    "inline-script",
    "ipaddress",
    "jsinject",
    "jsonprune",
    "match-case",
    "media",
    "method",
    "mp4",
    "network",
    "object",
    "object-subrequest",
    "other",
    "permissions",
    "ping",
    "popunder",
    "popup",
    "reason",
    "redirect",
    "redirect-rule",
    "referrerpolicy",
    "removeheader",
    "removeparam",
    "replace",
    "requestheader",
    "rewrite",
    "script",
    "shide",
    "specifichide",
    "stealth",
    "strict1p",
    "strict3p",
    "stylesheet",
    "subdocument",
    "third-party",
    "to",
    "uritransform",
    "urlblock",
    "urlskip",
    "urltransform",
    "webrtc",
    "websocket",
];

/// What stands for other names in uBlock Origin's lists.
const SHORT_FORMS: [(&str, &str); 4] = [
    ("xhr", "xmlhttprequest"),
    ("xmlhttprequest", "xmlhttprequest"),
    ("object_subrequest", "object-subrequest"),
    ("~third-party", "third-party"),
];

/// Reads what is behind the `$`; the name of the first modifier that is not supported.
pub(super) fn read(options: Option<&[u8]>, allows: bool) -> Result<Modifiers, &'static str> {
    let mut modifiers = Modifiers::default();
    let mut document = None;
    for option in options.into_iter().flat_map(split) {
        match option {
            b"important" => modifiers.important = true,
            b"badfilter" => modifiers.cancels = true,
            // A page is asked for by its name. In an exception it says what else is let through.
            b"document" | b"doc" if !allows => document = Some("document"),
            // Lists put it between others to be read by people.
            option if option.iter().all(|byte| *byte == b'_') && !option.is_empty() => {}
            option => return Err(name_of(option)),
        }
    }
    match document.filter(|_| modifiers.cancels) {
        Some(name) => Err(name),
        None => Ok(modifiers),
    }
}

/// Divided at commas that no backslash stands before.
fn split(options: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut escaped = false;
    options
        .split(move |byte| {
            let divides = *byte == b',' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            divides
        })
        .map(<[u8]>::trim_ascii)
}

fn name_of(option: &[u8]) -> &'static str {
    let option = option.strip_prefix(b"~").unwrap_or(option);
    let name = option
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default();
    let known = NAMES.into_iter().find(|known| known.as_bytes() == name);
    let short = || {
        SHORT_FORMS
            .into_iter()
            .find(|(short, _)| short.as_bytes() == name)
            .map(|(_, long)| long)
    };
    known.or_else(short).unwrap_or("another modifier")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_names_is_read() {
        assert_eq!(of("important", false), Ok((true, false)));
        assert_eq!(of("badfilter,important", false), Ok((true, true)));
        assert_eq!(of("document", false), Ok((false, false)));
        assert_eq!(of("doc,important,_", false), Ok((true, false)));
    }

    #[test]
    fn what_does_not_is_named() {
        for (options, name) in [
            ("third-party", "third-party"),
            ("important,~third-party", "third-party"),
            ("client=192.0.2.1", "client"),
            ("dnstype=A|AAAA", "dnstype"),
            ("denyallow=a.example|b.example", "denyallow"),
            ("domain=a.example\\,b,important", "domain"),
            ("xhr", "xmlhttprequest"),
            ("foo=1", "another modifier"),
            ("", "another modifier"),
            ("badfilter,document", "document"),
        ] {
            assert_eq!(of(options, false), Err(name), "{options}");
        }
        assert_eq!(of("document", true), Err("document"));
    }

    fn of(options: &str, allows: bool) -> Result<(bool, bool), &'static str> {
        read(Some(options.as_bytes()), allows)
            .map(|modifiers| (modifiers.important, modifiers.cancels))
    }
}
