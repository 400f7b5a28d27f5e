//! HTML pages of Debian packages in place of lists: none is taken for one, whole or in part.

use std::{fs, io::Write, path::Path};

use filter_lists::{Content, Format, ListError, ListOptions, Names};
use lab::PAGES;

lab::fail_on_kernel_damage!();

/// Pages that are read, at least.
const MIN_PAGES: usize = 1_500;

#[test]
fn no_page_is_taken_for_a_list() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PAGES);
    let entries = fs::read_dir(&folder);
    let entries = entries
        .unwrap_or_else(|_| panic!("{} is not there: run `cargo xtask setup`", folder.display()));
    let mut pages = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let page = fs::read(&path).expect("a page");
        pages += 1;
        for format in [None, Some(Format::Domains), Some(Format::Regex)] {
            assert!(is_refused(&page, format), "{}, {format:?}", path.display());
        }
        let lines: Vec<&[u8]> = page.split_inclusive(|byte| *byte == b'\n').collect();
        for third in [lines.len() / 3, 2 * lines.len() / 3] {
            let part = lines[third..].concat();
            assert!(
                loads_no_rule(&part),
                "{} from line {}",
                path.display(),
                third + 1
            );
        }
    }
    assert!(pages >= MIN_PAGES, "{pages} pages: run `cargo xtask setup`");
}

/// True if it is refused as a page.
fn is_refused(page: &[u8], format: Option<Format>) -> bool {
    let error = load(page, format).err();
    matches!(
        error,
        Some(ListError::NoList {
            content: Content::Html | Content::Xml,
            ..
        })
    )
}

fn loads_no_rule(part: &[u8]) -> bool {
    load(part, None).is_err()
}

fn load(text: &[u8], format: Option<Format>) -> Result<(), ListError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text).expect("a file");
    let options = ListOptions {
        format,
        ..ListOptions::default()
    };
    filter_lists::load(file.path(), &options, &mut Names::default(), &mut |_| {}).map(|_| ())
}
