use super::{fault, good};
use crate::config::{MOST_CLIENTS, MOST_GROUPS};

#[test]
fn a_key_that_is_not_known_is_an_error_that_names_what_was_meant_or_what_there_is() {
    let of = |table: &str| fault(&format!("\n{table}\nform = 1\n"));
    let scope = "`groups`, `schedule`, `action`, `address`, `tcp`, `quic`, `code`";
    assert_eq!(
        of("[[list]]"),
        "line 3: there is no key `form` here: did you mean `format`?"
    );
    let rules = format!("line 3: there is no key `form` here: there are `block`, `allow`, {scope}");
    assert_eq!(of("[[rules]]"), rules);
    let group = "line 3: there is no key `form` here: there are `name`, `clients`, `exempt`";
    assert_eq!(of("[[group]]"), group);
    let schedule = "line 3: there is no key `form` here: there are `name`, `time-zone`, `times`";
    assert_eq!(of("[[schedule]]"), schedule);
    let file = "line 3: there is no key `form` here: there are `cache`, `list`, `rules`, `group`, `schedule`, `run`, `interface`";
    assert_eq!(of(""), file);
}

#[test]
fn a_value_of_another_type_is_an_error_with_its_line() {
    assert_eq!(
        fault("[[list]]\nfile = 3\n"),
        "line 2: write a text in quotes, and not integer `3`"
    );
    assert_eq!(
        fault("[[list]]\nfile = \"a\"\nallow = \"yes\"\n"),
        "line 3: write true or false, and not string \"yes\""
    );
    assert_eq!(
        fault("[[list]]\nfile = \"a\"\ngroups = \"b\"\n"),
        "line 3: write a list in brackets, as [\"one\", \"two\"], and not string \"b\""
    );
    assert_eq!(
        fault("[[group]]\nname = \"a\"\nclients = [\n\"::1\",\n1]\n"),
        "line 5: write a text in quotes, and not integer `1`"
    );
    assert_eq!(
        fault("\n[list]\nfile = \"a\"\n"),
        "line 2: write a table that there may be several of with two brackets, as [[list]], and not a table"
    );
}

#[test]
fn a_key_that_is_needed_is_missed_at_its_table() {
    assert_eq!(
        fault("\n[[list]]\nallow = true\n"),
        "line 2: the key `file` is missing: add it to this table"
    );
    assert_eq!(
        fault("[[group]]\n"),
        "line 1: the key `name` is missing: add it to this table"
    );
    assert_eq!(
        fault("[[schedule]]\nname = \"a\"\n"),
        "line 1: the key `times` is missing: add it to this table"
    );
}

#[test]
fn what_is_no_toml_is_an_error_with_its_line() {
    assert_eq!(
        fault("\n[[list\n"),
        "line 2: unclosed array table, expected `]]`"
    );
    assert_eq!(
        fault("[[list]]\nfile = hosts\n"),
        "line 2: string values must be quoted, expected literal string"
    );
    assert_eq!(
        fault("[[list]]\nfile = \"a\"\nfile = \"b\"\n"),
        "line 3: the key is there twice: take one of them out"
    );
}

#[test]
fn names_are_there_and_can_be_shown() {
    let group = "the group has an empty name: give it one that lists and rules can refer to";
    assert_eq!(
        fault("[[group]]\nname = \"\"\n"),
        format!("line 2: {group}")
    );
    assert_eq!(
        fault("[[group]]\nname = \" \"\n"),
        format!("line 2: {group}")
    );
    assert_eq!(
        fault("[[schedule]]\nname = \"\"\ntimes = []\n"),
        format!("line 2: {}", group.replace("group", "schedule"))
    );
    assert_eq!(
        fault("[[group]]\nname = \"a\\u001b[2J\"\n"),
        "line 2: the name `a\\u{1b}[2J` of a group has control characters: leave these out"
    );
    assert_eq!(
        good("[[group]]\nname = \"Büro, 2. Stock\"\n").groups[0].name,
        "Büro, 2. Stock"
    );
}

#[test]
fn a_name_is_given_once() {
    assert_eq!(
        fault("[[group]]\nname = \"a\"\n[[group]]\nname = \"b\"\n[[group]]\nname = \"a\"\n"),
        "line 6: there is a group `a` in line 2 already: join the two, or give this one another name"
    );
    let schedule = |name| {
        format!(
            "[[schedule]]\nname = \"{name}\"\ntime-zone = \"UTC\"\ntimes = [\"mon 00:00-24:00\"]\n"
        )
    };
    assert_eq!(
        fault(&(schedule("a") + &schedule("a"))),
        "line 6: there is a schedule `a` in line 2 already: join the two, or give this one another name"
    );
    good(&(schedule("a") + &schedule("A") + "[[group]]\nname = \"a\"\n"));
}

#[test]
fn a_name_that_nothing_has_is_an_error_that_lists_those_there_are() {
    let list = "[[list]]\nfile = \"x\"\n";
    assert_eq!(
        fault(&format!("{list}groups = [\"a\"]\n")),
        "line 3: there is no group `a`: there is none at all; add one with [[group]]"
    );
    assert_eq!(
        fault(&format!(
            "{list}groups = [\"a\"]\n[[group]]\nname = \"b\"\n"
        )),
        "line 3: there is no group `a`: the group is `b`"
    );
    assert_eq!(
        fault(
            "[[rules]]\nblock = []\ngroups = [\n\"b\",\n\"a\"]\n[[group]]\nname = \"b\"\n[[group]]\nname = \"c\"\n"
        ),
        "line 5: there is no group `a`: the groups are `b`, `c`"
    );
    assert_eq!(
        fault(&format!(
            "{list}schedule = \"a\"\n[[group]]\nname = \"a\"\n"
        )),
        "line 3: there is no schedule `a`: there is none at all; add one with [[schedule]]"
    );
    let many: String = (0..12).fold(String::new(), |text, number| {
        text + &format!("[[group]]\nname = \"g{number}\"\n")
    });
    let error = fault(&format!("{list}groups = [\"a\"]\n{many}"));
    assert!(
        error.ends_with(
            ": the groups are `g0`, `g1`, `g2`, `g3`, `g4`, `g5`, `g6`, `g7`, `g8`, `g9` and 2 more"
        ),
        "{error}"
    );
}

#[test]
fn a_client_is_in_one_group_once() {
    let groups = "[[group]]\nname = \"a\"\nclients = [\"192.0.2.1\", \"02:00:5e:10:00:01\"]\n[[group]]\nname = \"b\"\n";
    assert_eq!(
        fault(&format!("{groups}clients = [\n\"192.0.2.1/32\"]\n")),
        "line 7: 192.0.2.1 is a client of `a` in line 3 already, and here of `b`: take one of the two out"
    );
    assert_eq!(
        fault(&format!("{groups}clients = [\"02-00-5E-10-00-01\"]\n")),
        "line 6: 02:00:5e:10:00:01 is a client of `a` in line 3 already, and here of `b`: take one of the two out"
    );
    assert_eq!(
        fault("[[group]]\nname = \"a\"\nclients = [\n\"::1\",\n\"0::1\"]\n"),
        "line 5: ::1 is a client of `a` in line 4 already, and here of `a`: take one of the two out"
    );
    good(&format!(
        "{groups}clients = [\"192.0.2.0/31\", \"192.0.2.0/30\"]\n"
    ));
}

#[test]
fn a_client_that_is_none_is_an_error_with_its_line() {
    let error = fault("[[group]]\nname = \"a\"\nclients = [\n\"::1\",\n\"192.0.2.1/24\"]\n");
    assert!(
        error.starts_with("line 5: `192.0.2.1/24` is an address within the subnet 192.0.2.0/24"),
        "{error}"
    );
}

#[test]
fn there_are_no_more_groups_than_the_kernel_tells_apart() {
    let groups = |count| {
        (0..count).fold(String::new(), |text, number| {
            text + &format!("[[group]]\nname = \"{number}\"\n")
        })
    };
    assert_eq!(good(&groups(MOST_GROUPS)).groups.len(), MOST_GROUPS);
    assert_eq!(
        fault(&groups(MOST_GROUPS + 2)),
        "line 32768: with this group there are more than the 16383 that there can be, 16385 in all: join groups that the \
         same lists are for"
    );
}

#[test]
fn there_are_no_more_clients_than_the_kernel_holds() {
    let low = |number: usize| [number >> 16, number >> 8 & 0xff, number & 0xff];
    let kinds: [(&dyn Fn(usize) -> String, &str); 3] = [
        (
            &|number| {
                let [a, b, c] = low(number);
                format!("10.{a}.{b}.{c}")
            },
            "IPv4 addresses and subnets",
        ),
        (
            &|number| format!("2001:{:x}:{:x}::/48", number >> 16, number & 0xffff),
            "IPv6 addresses and subnets",
        ),
        (
            &|number| {
                let [a, b, c] = low(number);
                format!("02:00:00:{a:02x}:{b:02x}:{c:02x}")
            },
            "MACs",
        ),
    ];
    for (client, kind) in kinds {
        let clients = |from, to| (from..to).map(client).collect::<Vec<_>>();
        let most = format!(
            "[[group]]\nname = \"most\"\nclients = {:?}\n",
            clients(0, MOST_CLIENTS)
        );
        if kind == "MACs" {
            assert_eq!(good(&most).groups[0].clients.len(), 1_048_576);
        }
        let more = format!(
            "{most}[[group]]\nname = \"more\"\nclients = {:?}\n",
            clients(MOST_CLIENTS, MOST_CLIENTS + 3)
        );
        assert_eq!(
            fault(&more),
            format!(
                "line 6: with this one there are more than the 1048576 {kind} that all groups together can have, 1048579 in \
                 all: name subnets that hold several of them"
            )
        );
    }
}

#[test]
fn lists_have_a_file_and_rules_have_rules() {
    assert_eq!(
        fault("[[list]]\nfile = \"\"\n"),
        "line 2: `file` is empty: name the file of the list"
    );
    assert_eq!(
        fault("[[list]]\nfile = \"-\"\n"),
        "line 2: `-` names no file: lists are read again when they change, so standard input cannot be one"
    );
    assert_eq!(
        fault("\n[[rules]]\ngroups = [\"a\"]\n[[group]]\nname = \"a\"\n"),
        "line 2: these [[rules]] neither block nor allow: add block = [\"example.com\"], or take the table out"
    );
    assert_eq!(
        fault("[[rules]]\nblock = [\n\"a.example\",\n\" \"]\n"),
        "line 4: this rule is empty: write a name, as in \"example.com\", or take it out"
    );
    assert_eq!(
        fault("[[rules]]\nallow = [\"\"\"a.example\nb.example\"\"\"]\n"),
        "line 2: `a.example\\nb.example` has line breaks or other control characters: write each rule in quotes \
         of its own"
    );
    good("[[rules]]\nblock = []\n");
}

#[test]
fn groups_in_brackets_are_at_least_one() {
    assert_eq!(
        fault("[[list]]\nfile = \"a\"\ngroups = []\n"),
        "line 3: this is for no group: name some, or leave out `groups`, which means all that are not exempt"
    );
}

#[test]
fn a_schedule_without_times_is_an_error() {
    assert_eq!(
        fault("[[schedule]]\nname = \"a\"\ntime-zone = \"UTC\"\ntimes = []\n"),
        "line 4: the schedule `a` has no times, so it would never be on: give it some, as in times = [\"mon-fri \
         08:00-13:00\"]"
    );
}
