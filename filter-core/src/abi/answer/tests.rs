use super::*;

#[test]
fn what_a_list_leaves_open_the_interface_says() {
    let v4 = Some([192, 0, 2, 1].into());
    let interface = Actions::new(DnsAction::Address, TcpAction::Reset)
        .with_code(17)
        .with_addresses(v4, None);
    assert_eq!(Actions::default().on(&interface), interface);
    let list = Actions::new(DnsAction::NoData, TcpAction::AsInterface).with_code(16);
    let both = list.on(&interface);
    assert_eq!(
        (both.dns(), both.tcp(), both.code(), both.v4()),
        (DnsAction::NoData, TcpAction::Reset, 16, 0)
    );
}

#[test]
fn what_a_rule_says_itself_counts_where_its_list_says_nothing() {
    let silent = Actions::new(DnsAction::AsInterface, TcpAction::Reset);
    assert_eq!(silent.or_dns(DnsAction::NoData).dns(), DnsAction::NoData);
    assert_eq!(silent.or_dns(DnsAction::NoData).tcp(), TcpAction::Reset);
    assert_eq!(
        Actions::new(DnsAction::Refused, TcpAction::Drop)
            .or_dns(DnsAction::NoData)
            .dns(),
        DnsAction::Refused
    );
}

#[test]
fn each_action_is_read_as_it_was_written_and_all_but_two_are_answers() {
    for action in DnsAction::ALL
        .iter()
        .copied()
        .chain([DnsAction::AsInterface])
    {
        let actions = Actions::new(action, TcpAction::AsInterface);
        assert_eq!((actions.dns(), actions.answers_tcp()), (action, false));
        assert_eq!(
            actions.answers_dns(),
            !matches!(action, DnsAction::AsInterface | DnsAction::Drop)
        );
    }
    for action in QuicAction::ALL
        .iter()
        .copied()
        .chain([QuicAction::AsInterface])
    {
        let actions = Actions::default().with_quic(action);
        assert_eq!((actions.quic(), actions.answers_tcp()), (action, false));
        assert_eq!(actions.answers_quic(), action == QuicAction::Close);
    }
    for action in TcpAction::ALL
        .iter()
        .copied()
        .chain([TcpAction::AsInterface])
    {
        let actions = Actions::new(DnsAction::AsInterface, action);
        assert_eq!((actions.tcp(), actions.answers_dns()), (action, false));
        assert_eq!(
            actions.answers_tcp(),
            !matches!(action, TcpAction::AsInterface | TcpAction::Drop)
        );
    }
}

#[test]
fn words_for_actions_are_those_of_configurations() {
    let dns: Vec<_> = DnsAction::ALL
        .iter()
        .map(|action| action.as_str())
        .collect();
    assert_eq!(
        dns,
        ["drop", "nxdomain", "nodata", "refused", "null", "address"]
    );
    let tcp: Vec<_> = TcpAction::ALL
        .iter()
        .map(|action| action.as_str())
        .collect();
    assert_eq!(tcp, ["drop", "reset", "alert"]);
    assert_eq!(
        [
            DnsAction::AsInterface.as_str(),
            TcpAction::AsInterface.as_str()
        ],
        ["default"; 2]
    );
}

#[test]
fn addresses_lie_as_in_a_packet() {
    let [v4, v6] =
        ["192.0.2.1", "2001:db8::7"].map(|address| address.parse::<std::net::IpAddr>().unwrap());
    let (std::net::IpAddr::V4(v4), std::net::IpAddr::V6(v6)) = (v4, v6) else {
        panic!("one of each")
    };
    let actions = Actions::NONE.with_addresses(Some(v4), Some(v6));
    assert_eq!(actions.v4().to_ne_bytes(), v4.octets());
    assert_eq!(actions.v6().map(u64::to_ne_bytes).concat(), v6.octets());
    assert_eq!(Actions::NONE.with_addresses(None, None), Actions::NONE);
    assert_eq!(
        (Actions::NONE.code(), Actions::NONE.with_code(17).code()),
        (Actions::BLOCKED, 17)
    );
}

/// What an interface is.
fn flags(interface: Interface) -> [bool; 4] {
    [
        interface.faces_clients(),
        interface.audits(),
        interface.keeps_buffers(),
        !interface.opens_tunnels(),
    ]
}

#[test]
fn what_an_interface_is_changes_one_by_one() {
    let plain = Interface::new(Directions::Queries);
    let actions = Actions::new(DnsAction::NoData, TcpAction::Alert);
    assert_eq!(
        (flags(plain), plain.directions()),
        ([false; 4], Directions::Queries)
    );
    let changes: [fn(Interface) -> Interface; 4] = [
        |interface| interface.facing_clients(Actions::new(DnsAction::NoData, TcpAction::Alert)),
        Interface::on_trial,
        Interface::in_network_stack,
        Interface::ignoring_tunnels,
    ];
    for (place, change) in changes.iter().enumerate() {
        let expected = core::array::from_fn(|flag| flag == place);
        assert_eq!(
            (flags(change(plain)), flags(change(change(plain)))),
            (expected, expected)
        );
    }
    let all = changes
        .iter()
        .fold(plain, |interface, change| change(interface));
    assert_eq!(
        (
            flags(all),
            flags(
                changes
                    .iter()
                    .fold(all, |interface, change| change(interface))
            )
        ),
        ([true; 4], [true; 4])
    );
    assert_eq!(
        (flags(all.facing_nobody()), flags(plain.facing_nobody())),
        ([false, true, true, true], [false; 4])
    );
    assert_eq!(
        (*all.actions(), *plain.with_actions(actions).actions()),
        (actions, actions)
    );
    assert_eq!(
        *plain.actions(),
        Actions::new(DnsAction::Drop, TcpAction::Drop).with_quic(QuicAction::Drop)
    );
}
