//! Options in the configuration, beside those of the command line.

use std::path::PathBuf;

use super::*;

fn args(line: &str, text: &str) -> anyhow::Result<Args> {
    let file = PathBuf::from("/etc/namegate/namegate.toml");
    let service = Config::parse(text, &file)?.service;
    let line = format!("namegate run --config {} {line}", file.display());
    let line: Vec<_> = line.split_whitespace().map(OsString::from).collect();
    with_service(&line, &service, &file)
}

fn fault(text: &str) -> String {
    let error = args("", text).unwrap_err().to_string();
    let (place, fault) = error.split_once(": ").unwrap();
    let (place, column) = place.split_once(", column ").unwrap();
    assert_eq!(column, "1", "{error}");
    let line = place.rsplit_once(' ').unwrap().1;
    assert!(
        place.starts_with("the configuration `/etc/namegate/namegate.toml`, line "),
        "{error}"
    );
    format!("{line}: {fault}")
}

const TWO: &str = "[run]
dns-port = [53, 5353]
mode = \"generic\"
state = \"names\"
no-list-names = true
action = \"refused\"

[[interface]]
name = \"lan0\"
judge = \"queries\"
clients = true

[[interface]]
name = \"wan0\"
action = \"audit\"
";

#[test]
fn the_file_says_what_the_command_line_would() {
    let of_file = args("", TWO).unwrap();
    let line = "namegate run --config /etc/namegate/namegate.toml --dns-port 53 5353 --mode generic \
                --state /etc/namegate/names --no-list-names --action refused --iface lan0 --judge lan0=queries \
                --clients lan0 --iface wan0 --action wan0=audit";
    let Verb::Run(of_line) = Cli::parse_from(line.split_whitespace()).verb else {
        panic!("another verb");
    };
    assert_eq!(format!("{of_file:?}"), format!("{of_line:?}"));
}

#[test]
fn the_command_line_counts_more() {
    let args = args("--iface lan0 --mode native --action drop", TWO).unwrap();
    assert_eq!(args.iface, ["lan0"]);
    assert_eq!(args.mode, super::super::Mode::Native);
    assert_eq!(args.answers.action.len(), 1);
    assert_eq!(args.answers.clients, ["lan0"]);
    assert_eq!(args.dns_port, [53, 5353]);
}

#[test]
fn what_run_does_not_take_is_said_with_its_line() {
    for (text, said) in [
        (
            "[run]\nmoed = \"auto\"",
            "2: [run] has no key `moed`; the nearest is `mode`, and `namegate run --help` has all",
        ),
        (
            "[run]\nlist = \"a\"",
            "2: `list` has no place in [run]: name lists with [[list]]",
        ),
        (
            "[run]\nmode = \"fast\"",
            "2: `mode` does not take `fast`; it takes one of auto, native, generic",
        ),
        (
            "[run]\nmode = true",
            "2: `mode` takes a value, and not true or false",
        ),
        (
            "[run]\nno-list-names = 1",
            "2: `no-list-names` is true or false",
        ),
        ("[run]\n\nflows = 0", "3: `flows`: 0 is not in 1..=524288"),
        (
            "[[interface]]\nname = \"a\"\nactoin = \"drop\"",
            "3: [[interface]] has no key `actoin`; the nearest is `action`, and `namegate run --help` has all",
        ),
        (
            "[[interface]]\nname = \"a\"\nclients = \"yes\"",
            "3: `clients` is true or false",
        ),
        (
            "[[interface]]\nname = \"a\"\naction = [\"drop\", \"drop\"]",
            "3: `action` takes one word in an [[interface]]",
        ),
        (
            "[[interface]]\naction = \"drop\"",
            "1: an [[interface]] has no name: add one, as in name = \"eth0\"",
        ),
    ] {
        assert_eq!(fault(text), said, "{text}");
    }
}

#[test]
fn each_option_has_a_place_in_the_example() {
    const EXAMPLE: &str = include_str!("../../../../../filter-policy/src/config/example.toml");
    // What is only shown is in a comment without a space.
    let shown: Vec<_> = EXAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|it| !it.starts_with(' '))
                .unwrap_or(line)
        })
        .collect();
    let file = Path::new("/etc/namegate/namegate.toml");
    let service = Config::parse(&shown.join("\n"), file).unwrap().service;
    let mut cli = Cli::command();
    cli.build();
    let run = cli.find_subcommand("run").unwrap();
    let mut options: Vec<_> = run
        .get_arguments()
        .filter_map(|arg| arg.get_long())
        .filter(|long| *long != "help" && ELSEWHERE.iter().all(|(it, _)| it != long))
        .collect();
    let mut of_run: Vec<_> = service.run.iter().map(|option| &*option.key).collect();
    options.sort_unstable();
    of_run.sort_unstable();
    assert_eq!(of_run, options);
    let line = ["namegate", "run", "--config", "/etc/namegate/namegate.toml"].map(OsString::from);
    let args = with_service(&line, &service, file).unwrap();
    assert_eq!(args.iface, ["lan0", "wan0"]);
}
