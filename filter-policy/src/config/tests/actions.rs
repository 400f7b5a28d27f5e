use filter_core::{Actions, DnsAction, ListName, QuicAction, TcpAction};

use super::{fault, good};
use crate::config::Config;

const LIST: &str = "[[list]]\nfile = \"x\"\n";

/// The actions of the audiences, and for each list its audience and whether it is in audit mode.
fn actions(config: &Config) -> (Vec<Actions>, Vec<(usize, bool)>) {
    let actions = config
        .audiences()
        .iter()
        .map(|audience| audience.actions)
        .collect();
    (
        actions,
        config
            .lists
            .iter()
            .map(|list| (list.audience, list.trial))
            .collect(),
    )
}

fn of_list(keys: &str) -> String {
    fault(&format!("{LIST}{keys}\n"))
}

#[test]
fn each_word_is_an_action_and_what_a_list_does_not_say_the_interface_does() {
    for action in [
        DnsAction::Drop,
        DnsAction::NxDomain,
        DnsAction::NoData,
        DnsAction::Refused,
        DnsAction::Null,
    ] {
        let config = good(&format!("{LIST}action = \"{}\"\n", action.as_str()));
        let expected = Actions::new(action, TcpAction::AsInterface);
        assert_eq!(
            actions(&config),
            (vec![Actions::default(), expected], vec![(1, false)])
        );
    }
    for action in TcpAction::ALL {
        let config = good(&format!("{LIST}tcp = \"{}\"\n", action.as_str()));
        assert_eq!(
            config.audiences()[1].actions,
            Actions::new(DnsAction::AsInterface, *action)
        );
    }
    for action in QuicAction::ALL {
        let config = good(&format!("{LIST}quic = \"{}\"\n", action.as_str()));
        assert_eq!(
            config.audiences()[1].actions,
            Actions::default().with_quic(*action)
        );
    }
    for (word, code) in [("blocked", 15), ("censored", 16), ("filtered", 17)] {
        let config = good(&format!("{LIST}code = \"{word}\"\n"));
        assert_eq!(
            config.audiences()[1].actions,
            Actions::default().with_code(code)
        );
    }
}

#[test]
fn an_action_of_addresses_has_one_of_each_family_at_most() {
    let of = |addresses: &str| {
        let config = good(&format!(
            "{LIST}action = \"address\"\naddress = [{addresses}]\n"
        ));
        config.audiences()[1].actions
    };
    let (v4, v6) = (Some([192, 0, 2, 1].into()), "2001:db8::1".parse().ok());
    let actions = Actions::new(DnsAction::Address, TcpAction::AsInterface);
    assert_eq!(of("\"192.0.2.1\""), actions.with_addresses(v4, None));
    assert_eq!(of("\"2001:db8::1\""), actions.with_addresses(None, v6));
    assert_eq!(
        of("\"2001:db8::1\", \"192.0.2.1\""),
        actions.with_addresses(v4, v6)
    );
    assert_eq!(
        of_list("action = \"address\"\naddress = [\n\"192.0.2.1\",\n\"192.0.2.2\"]"),
        "line 6: 192.0.2.2 is the second address of its family, and an answer has one: take one of the two out"
    );
    assert_eq!(
        of_list("action = \"address\"\naddress = [\"a.example\"]"),
        "line 4: `a.example` is no address: write one as in \"192.0.2.1\" or \"2001:db8::1\""
    );
    assert_eq!(
        of_list("action = \"address\"\naddress = [\"0.0.0.0\"]"),
        "line 4: 0.0.0.0 is what the action `null` answers with: choose that one, or another address"
    );
}

#[test]
fn addresses_are_there_with_their_action_and_with_no_other() {
    let missing = "the action `address` has no address to answer with: add one, as in address = [\"192.0.2.1\"]";
    assert_eq!(
        of_list("action = \"address\""),
        format!("line 3: {missing}")
    );
    assert_eq!(
        of_list("action = \"address\"\naddress = []"),
        format!("line 4: {missing}")
    );
    let unused = "the action `address` alone answers with an address: add action = \"address\", or take `address` out";
    assert_eq!(
        of_list("address = [\"192.0.2.1\"]"),
        format!("line 3: {unused}")
    );
    assert_eq!(
        of_list("action = \"null\"\naddress = [\"192.0.2.1\"]"),
        format!("line 4: {unused}")
    );
}

#[test]
fn a_word_that_is_none_is_an_error_that_lists_those_there_are() {
    assert_eq!(
        of_list("action = \"nx\""),
        "line 3: there is no action `nx`: write `drop`, `nxdomain`, `nodata`, `refused`, `null`, `address` or `audit`"
    );
    assert_eq!(
        of_list("action = \"default\"").split(':').nth(1),
        Some(" there is no action `default`")
    );
    assert_eq!(
        of_list("tcp = \"close\""),
        "line 3: no connection is ended by `close`: write `drop`, `reset` or `alert`"
    );
    assert_eq!(
        of_list("quic = \"reset\""),
        "line 3: no QUIC connection is ended by `reset`: write `drop` or `close`"
    );
    assert_eq!(
        of_list("code = \"15\""),
        "line 3: there is no code `15`: write `blocked`, `censored` or `filtered`"
    );
    let rules = fault("[[rules]]\nblock = [\"x\"]\naction = \"NXDOMAIN\"\n");
    assert!(
        rules.starts_with("line 3: there is no action `NXDOMAIN`: "),
        "{rules}"
    );
}

#[test]
fn audit_mode_is_no_action_and_stands_alone() {
    let config = good(&format!(
        "{LIST}action = \"audit\"\n{LIST}[[rules]]\nblock = [\"x\"]\naction = \"audit\"\n"
    ));
    assert_eq!(
        actions(&config),
        (vec![Actions::default()], vec![(0, true), (0, false)])
    );
    assert!(config.rules[0].trial);
    for key in [
        "tcp = \"reset\"",
        "quic = \"close\"",
        "code = \"blocked\"",
        "address = [\"192.0.2.1\"]",
    ] {
        let name = key.split(' ').next().unwrap();
        assert_eq!(
            of_list(&format!("action = \"audit\"\n{key}")),
            format!(
                "line 4: with action = \"audit\" nothing is blocked, so that `{name}` says nothing here: take it out"
            )
        );
    }
}

#[test]
fn what_allows_has_no_action() {
    for key in [
        "action = \"audit\"",
        "action = \"drop\"",
        "tcp = \"reset\"",
        "quic = \"close\"",
        "code = \"blocked\"",
    ] {
        let name = key.split(' ').next().unwrap();
        let error =
            format!("what allows blocks nothing, so that `{name}` says nothing here: take it out");
        assert_eq!(
            of_list(&format!("allow = true\n{key}")),
            format!("line 4: {error}")
        );
        assert_eq!(
            fault(&format!("[[rules]]\nallow = [\"x\"]\n{key}\n")),
            format!("line 3: {error}")
        );
    }
    good("[[rules]]\nblock = [\"x\"]\nallow = [\"y\"]\naction = \"drop\"\n");
}

#[test]
fn lists_with_one_combination_share_an_audience_and_audiences_have_the_order_of_the_file() {
    let rules = |action| format!("[[rules]]\nblock = [\"x\"]\naction = \"{action}\"\n");
    let list = |action| format!("{LIST}action = \"{action}\"\n");
    let text = [
        rules("refused"),
        list("nodata"),
        LIST.into(),
        list("refused"),
        rules("null"),
        list("nodata"),
    ]
    .concat();
    let config = good(&text);
    let (audiences, lists) = actions(&config);
    let expected = [
        DnsAction::AsInterface,
        DnsAction::Refused,
        DnsAction::NoData,
        DnsAction::Null,
    ];
    assert_eq!(
        audiences.iter().map(Actions::dns).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(lists, [(2, false), (0, false), (1, false), (2, false)]);
    assert_eq!(
        config
            .rules
            .iter()
            .map(|rules| rules.audience)
            .collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn the_name_of_a_list_fits_in_an_answer() {
    let name = |name: &str| format!("name = \"{name}\"");
    let longest = "ä".repeat(ListName::MOST / 2);
    let config = good(&format!("{LIST}{}\n", name(&longest)));
    assert_eq!(config.lists[0].name.as_deref(), Some(&*longest));
    assert_eq!(
        of_list(&name(&(longest + "x"))),
        "line 3: `name` has 65 bytes, and blocked clients see 64 at most: shorten it"
    );
    assert_eq!(
        of_list(&name(" ")),
        "line 3: `name` is empty: give the list one that blocked clients may see, or leave it out for the file's name"
    );
    assert_eq!(
        of_list(&name("a\\n")),
        "line 3: the name `a\\n` has control characters: leave these out"
    );
}
