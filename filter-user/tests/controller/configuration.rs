//! A configuration that says all that `run` needs.

use std::fs;

use rustix::process::Signal;

use crate::home::{Home, NAMEGATE, Running, finish};

#[test]
fn a_configuration_alone_says_what_to_run() {
    let home = Home::new(&["ads.example.com"]);
    let config = write(
        &home,
        "[[list]]\nfile = \"list\"\n\n[[interface]]\nname = \"lan\"\naction = \"refused\"\ntcp = \"drop\"\n\n\
         [[interface]]\nname = \"wan\"\njudge = \"responses\"\n\n\
         [run]\nmode = \"generic\"\nstate = \"names\"\nsocket = \"namegate.sock\"\nwithout-controller = \"pass\"\n",
    );
    let mut command = home.lab.gateway().command(NAMEGATE);
    command.args(["run", "--config", &config]);
    let mut controller = Running::spawn(&mut command, home.path("controller.log"));
    home.wait_for(&mut controller);
    let status = home.json(&["status"]);
    let interfaces = status["interfaces"].as_array().unwrap();
    let of = |key: &str| -> Vec<_> {
        interfaces
            .iter()
            .map(|it| it[key].as_str().unwrap())
            .collect()
    };
    assert_eq!(of("name"), ["lan", "wan"]);
    assert_eq!(of("action"), ["refused", "nxdomain"]);
    assert_eq!(of("tcp"), ["drop", "reset"]);
    assert_eq!(of("judged"), ["both", "responses"]);
    assert_eq!(status["state"], home.path("names"));
    assert_eq!(status["rules"]["total"], 1);
    // Lists are read again; what is said of the service holds until the end, and that is told.
    assert_eq!(home.json(&["reload"])["warnings"], serde_json::json!([]));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("refused", "nodata")).unwrap();
    let warnings = &home.json(&["reload"])["warnings"];
    let said = warnings[0].as_str().unwrap();
    assert!(
        said.starts_with(
            "[run] or [[interface]] of the configuration says something else than at the start"
        ),
        "{said}"
    );
    assert_eq!(home.json(&["status"])["interfaces"][0]["action"], "refused");
    assert_eq!(controller.signal(Signal::TERM), Some(0));
}

#[test]
fn what_is_wrong_with_it_is_said_with_file_line_and_column() {
    let home = Home::new(&["ads.example.com"]);
    for (text, fault) in [
        (
            "[[interface]]\nname = \"lan\"\n[run]\n  moed = \"auto\"\n",
            "line 4, column 3: [run] has no key `moed`; the nearest is `mode`, and `namegate run --help` has all",
        ),
        (
            "[[interface]]\nname = \"lan\"\naction = \"nxdomian\"\n",
            "line 3, column 1: `action`: there is no action `nxdomian`: write `drop`, `nxdomain`, `nodata`, `refused`, `null`, `address` or `audit`",
        ),
        (
            "[[list]]\nfile = \"list\"\nallwo = true\n",
            "line 3, column 1: there is no key `allwo` here: did you mean `allow`?",
        ),
    ] {
        let config = write(&home, text);
        let expected = format!("namegate: the configuration `{config}`, {fault}");
        for verb in [["run", "--config", &config], ["check", "--config", &config]] {
            let output = finish(home.lab.gateway().command(NAMEGATE).args(verb));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.starts_with(&expected), "{verb:?}: {said}");
            assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1));
        }
    }
}

/// No controller has to run, and no interface has to be there.
#[test]
fn check_reads_a_configuration_with_its_lists() {
    let home = Home::new(&["ads.example.com", "track.example.com"]);
    let config = write(
        &home,
        "[[list]]\nfile = \"list\"\n[[interface]]\nname = \"nonesuch0\"\n[[group]]\nname = \"a\"\nclients = [\"192.0.2.1\"]\n",
    );
    let output = home.verb(&["check", "--config", &config]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!(
            "nothing is wrong with {config}: 1 interface, 1 list with 2 rules, 1 group, 0 schedules\n"
        )
    );
    let json = home.json(&["check", "--config", &config]);
    assert_eq!(json["lists"][0]["rules"], 2);
    assert_eq!(json["interfaces"][0], "nonesuch0");
    fs::remove_file(home.path("list")).unwrap();
    let (code, said) = home.fails(&["check", "--config", &config]);
    assert!(code == 1 && said.contains("list"), "{said}");
}

fn write(home: &Home, text: &str) -> String {
    let path = home.path("namegate.toml");
    fs::write(&path, text).unwrap();
    path
}
