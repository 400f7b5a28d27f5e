//! Many groups and clients, in maps that grow with them.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    time::Instant,
};

use filter_core::Reason;
use filter_lists::{Action, ListRule, Scope, Sink as _, Subject};
use filter_policy::{
    compiled::{Builder, CompiledPolicy, EVERYBODY},
    config::Config,
    groups::{ClientId, Groups, Members},
};
use filter_user::kernel::{Filter, LoadOptions};
use frames::Wrap;
use jiff::Timestamp;

use super::faults::with_failing;

const NAME: &str = "ads.example";
/// Blocked for every third group, of those that have a number.
const CLASS: u16 = 1;

/// What an operator with a million customers has: ten thousand groups, of a hundred addresses each.
#[test]
fn a_million_addresses_in_ten_thousand_groups_are_told_apart() {
    const GROUPS: u32 = 10_000;
    const MEMBERS: u32 = 100;
    /// Memory of the kernel for each client, as it accounts it: nodes that lead to two others are
    /// not in it.
    const BYTES: u64 = 40;

    let mut text = String::new();
    for group in 0..GROUPS {
        let clients: Vec<_> = (0..MEMBERS)
            .map(|member| address(group * MEMBERS + member).to_string())
            .collect();
        writeln!(
            text,
            "[[group]]\nname = \"g{group}\"\nclients = {clients:?}"
        )
        .unwrap();
    }
    let blocked: Vec<_> = (0..GROUPS)
        .step_by(3)
        .map(|group| format!("g{group}"))
        .collect();
    writeln!(
        text,
        "[[rules]]\nblock = [\"{NAME}\"]\ngroups = {blocked:?}"
    )
    .unwrap();
    let start = Instant::now();
    let config = Config::parse(&text, Path::new("namegate.toml")).unwrap();
    let groups = Groups::of(&config, Timestamp::now());
    println!("reading {} bytes: {:?}", text.len(), start.elapsed());

    let mut filter = filter();
    let (before, slab) = (filter.program().unwrap(), slab_kilobytes());
    let (none, compiled) = (CompiledPolicy::empty(*filter.hash_key()), compile(&filter));
    let start = Instant::now();
    filter.install(&none, &compiled, &groups, |_| {}).unwrap();
    let memory = filter.program().unwrap().map_memory - before.map_memory;
    println!(
        "in the kernel: {:?}, {memory} bytes more; slab {} kB more",
        start.elapsed(),
        slab_kilobytes() - slab
    );
    assert!(filter.program().unwrap().id != before.id, "the maps grew");
    assert!(memory < BYTES * u64::from(GROUPS * MEMBERS), "{memory}");

    let frames = Frames::new();
    for group in (0..GROUPS).step_by(199).chain([GROUPS - 1]) {
        for member in [0, 50, 99] {
            let expected = if group % 3 == 0 {
                Reason::DnsBlocked
            } else {
                Reason::DnsNotListed
            };
            let client = address(group * MEMBERS + member);
            assert_eq!(
                ask(&mut filter, &frames.from(client)),
                expected,
                "{client} of group {group}"
            );
        }
    }
    assert_eq!(
        ask(&mut filter, &frames.from(address(GROUPS * MEMBERS))),
        Reason::DnsNotListed,
        "in no group"
    );

    let start = Instant::now();
    let mut other: Vec<_> = groups.members.iter().collect();
    other[0].1 = 2;
    let moved = Groups {
        members: other.into_iter().collect(),
        ..groups
    };
    filter
        .install(&compiled, &compiled, &moved, |_| {})
        .unwrap();
    println!("one client goes to another group: {:?}", start.elapsed());
    assert_eq!(
        ask(&mut filter, &frames.from(address(0))),
        Reason::DnsNotListed
    );
    assert_eq!(
        ask(&mut filter, &frames.from(address(1))),
        Reason::DnsBlocked
    );
}

/// Where the maps have no room for more clients, the next ones do, for MAC addresses and for both
/// families.
#[test]
fn clients_that_the_maps_have_no_room_for_get_larger_ones() {
    let mut filter = filter();
    let (none, compiled) = (CompiledPolicy::empty(*filter.hash_key()), compile(&filter));
    let program = filter.program().unwrap().id;
    let id = |kind: u32, number: u32| match kind {
        0 => ClientId::Mac([2, 0, 0, 1, (number >> 8) as u8, number as u8]),
        1 => ClientId::Subnet(address(number).into(), 32),
        _ => ClientId::Subnet(
            IpAddr::from([0x2001, 0xdb8, number as u16, 0, 0, 0, 0, 0]),
            48,
        ),
    };
    let groups =
        |kind, count| of_two_groups((0..count).map(|number| (id(kind, number), 1)).collect());
    let mut last = (Groups::default(), program);
    for kind in 0..3 {
        let few = groups(kind, 4_000);
        let before = if last.0.members.is_empty() {
            &none
        } else {
            &compiled
        };
        filter.install(before, &compiled, &few, |_| {}).unwrap();
        let small = filter.program().unwrap().id;
        assert_eq!(small, last.1, "there is room for them");
        let many = groups(kind, 4_200);
        filter.install(&compiled, &compiled, &many, |_| {}).unwrap();
        assert_ne!(filter.program().unwrap().id, small, "they have larger maps");
        last = (many, filter.program().unwrap().id);
    }
}

/// Whichever of the calls fails that write the clients of a policy, those of the policy in force
/// stay in their groups, also with the policy that comes next.
#[test]
fn clients_of_a_policy_that_failed_leave_no_trace() {
    let mut filter = filter();
    let (none, compiled) = (CompiledPolicy::empty(*filter.hash_key()), compile(&filter));
    let in_groups = |groups: [u32; 4]| {
        let clients = (0..).zip(groups).filter(|(_, group)| *group > 0);
        of_two_groups(
            clients
                .map(|(number, group)| (ClientId::Subnet(address(number).into(), 32), group))
                .collect(),
        )
    };
    // Clients stay, move, go and come.
    let (first, second) = (in_groups([1, 1, 1, 0]), in_groups([1, 2, 0, 1]));
    filter.install(&none, &compiled, &first, |_| {}).unwrap();
    let frames = Frames::new();
    let seen = |filter: &mut Filter| {
        [0, 1, 2, 3].map(|client| ask(filter, &frames.from(address(client))).is_blocked())
    };
    assert_eq!(seen(&mut filter), [true, true, true, false]);
    let (installed, calls) = with_failing(None, || {
        filter.install(&compiled, &compiled, &second, |_| {})
    });
    installed.unwrap();
    assert_eq!(seen(&mut filter), [true, false, false, true]);
    filter
        .install(&compiled, &compiled, &first, |_| {})
        .unwrap();
    let mut failed = 0;
    for number in 0..calls.len() {
        let (installed, _) = with_failing(Some(number), || {
            filter.install(&compiled, &compiled, &second, |_| {})
        });
        failed += u32::from(installed.is_err() || filter.unsettled().is_some());
        let third = in_groups([1, 1, 1, 2]);
        // What stands in the maps of a call that failed, and of all alike behind it, is written
        // with the next policy.
        let old_holds = seen(&mut filter)[..3] == [true; 3];
        let came_in_force = filter.groups().members == second.members;
        assert!(old_holds || came_in_force, "call {number}");
        filter
            .install(&compiled, &compiled, &third, |_| {})
            .unwrap();
        assert_eq!(
            seen(&mut filter),
            [true, true, true, false],
            "call {number}"
        );
        filter
            .install(&compiled, &compiled, &first, |_| {})
            .unwrap();
        assert_eq!(
            seen(&mut filter),
            [true, true, true, false],
            "call {number}"
        );
    }
    assert!(failed > 3, "{failed} of {calls:?}");
}

/// Memory of the kernel for small things, of all that runs here.
fn slab_kilobytes() -> i64 {
    let all = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = all
        .lines()
        .find_map(|line| line.strip_prefix("SUnreclaim:"))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The client with this number.
fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + number)
}

/// Lists of the audience are for group 1, and not for group 2.
fn of_two_groups(members: Members) -> Groups {
    Groups {
        audiences: [EVERYBODY, EVERYBODY | 1 << CLASS, EVERYBODY]
            .map(Into::into)
            .into(),
        members,
        ..Groups::default()
    }
}

fn filter() -> Filter {
    Filter::load(&LoadOptions {
        max_rules: 100,
        flows: 1,
        events_per_second: 100,
        ..LoadOptions::default()
    })
    .unwrap()
}

/// Blocks the name for the audience.
fn compile(filter: &Filter) -> CompiledPolicy {
    let mut builder = Builder::new(*filter.hash_key());
    let subject = Subject::Name(NAME, Scope::Subtree);
    builder
        .list("list", CLASS)
        .rule(
            ListRule {
                subject,
                action: Action::Block,
                answer: None,
                cancels: false,
            },
            1,
        )
        .unwrap();
    builder.finish().unwrap()
}

/// A query for the name, from any client.
struct Frames(Vec<u8>);

impl Frames {
    fn new() -> Self {
        Self(Wrap::v4(53).udp(&frames::query(NAME)))
    }

    fn from(&self, client: Ipv4Addr) -> Vec<u8> {
        /// Behind the Ethernet header and 12 octets of the IPv4 header.
        const SOURCE: usize = 14 + 12;

        let mut frame = self.0.clone();
        frame[SOURCE..SOURCE + 4].copy_from_slice(&client.octets());
        frame
    }
}

fn ask(filter: &mut Filter, frame: &[u8]) -> Reason {
    filter.test_bed().unwrap().judge(frame).unwrap().reason
}
