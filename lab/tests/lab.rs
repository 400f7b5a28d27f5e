//! The lab carries traffic of both families between real programs, and leaves nothing behind
//! however it ends.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, panic};

use anyhow::{Context as _, Result};
use lab::{DnsServer, Family, Lab, Namespace, Options, Process, SERVER, TlsServer};
use rustix::process::{Pid, Signal, kill_process};

lab::fail_on_kernel_damage!();

const STAND: &str = "LAB_TEST_STAND_UNTIL_KILLED";

#[test]
fn dig_in_the_client_is_answered_over_both_families() -> Result<()> {
    let lab = Lab::new(&Options::default())?;
    let _dns = DnsServer::start(lab.server())?;
    for family in Family::ALL {
        for (record, address) in [
            ("A", SERVER.v4.to_string()),
            ("AAAA", SERVER.v6.to_string()),
        ] {
            let at = format!("@{}", SERVER.of(family));
            let args = ["+short", "+tries=1", &at, "www.example.org", record];
            assert_eq!(
                lab.client().output("dig", &args)?.trim(),
                address,
                "{record} over {family}"
            );
        }
    }
    Ok(())
}

#[test]
fn programs_in_the_client_resolve_names_by_the_lab_alone() -> Result<()> {
    let lab = Lab::new(&Options::default())?;
    assert!(
        lab.client()
            .output("getent", &["ahosts", "www.example.org"])
            .is_err()
    );
    let _dns = DnsServer::start(lab.server())?;
    let answer = lab
        .client()
        .output("getent", &["ahosts", "www.example.org"])?;
    assert!(answer.contains(&SERVER.v4.to_string()), "{answer}");
    assert!(answer.contains(&SERVER.v6.to_string()), "{answer}");
    Ok(())
}

#[test]
fn the_tls_server_serves_others_while_a_connection_hangs() -> Result<()> {
    let lab = Lab::new(&Options::default())?;
    let _tls = TlsServer::start(lab.server())?;
    let silent = "exec 3<>/dev/tcp/198.51.100.2/443; echo connected; exec sleep 60";
    let mut hanging = lab.client().command("bash");
    let mut hanging = hanging
        .args(["-c", silent])
        .stdout(Stdio::piped())
        .spawn()?;
    wait_for_output(&mut hanging)?;
    for address in [SERVER.v4.to_string(), format!("[{}]", SERVER.v6)] {
        let to = format!("www.example.org:443:{address}");
        let args = [
            "-sk",
            "--max-time",
            "5",
            "--resolve",
            &to,
            "https://www.example.org/",
        ];
        let page = lab.client().output("curl", &args)?;
        assert!(page.contains("<HTML>"), "{page}");
    }
    drop(lab);
    assert!(!hanging.wait()?.success(), "the lab ends what runs in it");
    Ok(())
}

#[test]
fn a_server_that_cannot_start_says_why() -> Result<()> {
    let lab = Lab::new(&Options::default())?;
    let _first = DnsServer::start(lab.server())?;
    let error = DnsServer::start(lab.server()).map_err(|error| format!("{error:#}"));
    let message = error.unwrap_err();
    assert!(message.contains("Address already in use"), "{message}");
    Ok(())
}

#[test]
fn interfaces_have_the_mtu_and_the_features_that_were_asked_for() -> Result<()> {
    let options = Options {
        mtu: 3000,
        off: vec!["rxvlan", "txvlan"],
    };
    let (plain, asked) = (Lab::new(&Options::default())?, Lab::new(&options)?);
    let look = |gateway: &Namespace| -> Result<(bool, bool)> {
        let link = gateway.output("ip", &["link", "show", "lan"])?;
        let features = gateway.output("ethtool", &["-k", "lan"])?;
        Ok((
            link.contains("mtu 3000"),
            features.contains("rx-vlan-offload: off"),
        ))
    };
    assert_eq!(look(asked.gateway())?, (true, true));
    assert_eq!(look(plain.gateway())?, (false, false));
    Ok(())
}

#[test]
fn a_dropped_lab_leaves_nothing_and_its_neighbour_stays() -> Result<()> {
    let (gone, stays) = (
        Lab::new(&Options::default())?,
        Lab::new(&Options::default())?,
    );
    let traces = traces(&gone);
    let left_running = Process::spawn(gone.client().command("sleep").arg("60"))?;
    assert!(
        traces.iter().all(|path| Path::new(path).exists()),
        "{traces:?}"
    );
    drop(gone);
    assert!(
        !traces.iter().any(|path| Path::new(path).exists()),
        "{traces:?}"
    );
    assert_eq!(left_running.stop()?.signal(), Some(Signal::TERM.as_raw()));
    assert!(
        self::traces(&stays)
            .iter()
            .all(|path| Path::new(path).exists())
    );
    stays
        .client()
        .output("ip", &["route", "get", &SERVER.v4.to_string()])?;
    Ok(())
}

#[test]
fn a_panic_takes_the_lab_away() -> Result<()> {
    let lab = Lab::new(&Options::default())?;
    let traces = traces(&lab);
    let outcome = panic::catch_unwind(move || {
        let _lab = lab;
        panic!("on purpose");
    });
    assert!(outcome.is_err());
    assert!(
        !traces.iter().any(|path| Path::new(path).exists()),
        "{traces:?}"
    );
    Ok(())
}

#[test]
fn a_terminated_process_takes_its_lab_away() -> Result<()> {
    if env::var_os(STAND).is_some() {
        return stand_until_killed();
    }
    let name = "a_terminated_process_takes_its_lab_away";
    for signal in [Signal::TERM, Signal::INT] {
        let (mut owner, directory) = start_owner(name)?;
        assert!(directory_of(&directory).exists());
        kill_process(Pid::from_child(&owner), signal)?;
        assert_eq!(owner.wait()?.code(), Some(130));
        assert!(!directory_of(&directory).exists());
        assert!(!namespaces_of(&directory)?);
    }
    Ok(())
}

#[test]
fn a_sweep_takes_the_lab_of_a_killed_process_and_leaves_those_of_others() -> Result<()> {
    if env::var_os(STAND).is_some() {
        return stand_until_killed();
    }
    let ours = Lab::new(&Options::default())?;
    let name = "a_sweep_takes_the_lab_of_a_killed_process_and_leaves_those_of_others";
    let (mut owner, directory) = start_owner(name)?;
    lab::sweep()?;
    assert!(namespaces_of(&directory)?, "its owner is alive");
    owner.kill()?;
    owner.wait()?;
    assert!(namespaces_of(&directory)?);
    lab::sweep()?;
    assert!(!namespaces_of(&directory)?);
    assert!(!directory_of(&directory).exists());
    assert!(traces(&ours).iter().all(|path| Path::new(path).exists()));
    Ok(())
}

/// What there is of a lab outside its own namespaces.
fn traces(lab: &Lab) -> Vec<String> {
    let mut traces = vec![
        lab.directory().display().to_string(),
        format!("/etc/netns/{}", lab.client().name()),
    ];
    for namespace in [lab.client(), lab.gateway(), lab.server()] {
        traces.push(format!("/run/netns/{}", namespace.name()));
    }
    traces
}

/// The body of the other process: builds a lab, says where, and waits for a signal.
fn stand_until_killed() -> Result<()> {
    lab::clean_up_on_signals()?;
    let lab = Lab::new(&Options::default())?;
    fs::write(env::var(STAND)?, lab.directory().display().to_string())?;
    lab::wait_until("a signal", Duration::from_mins(1), || Ok(false))
}

/// Runs this test again in another process that owns a lab, and gives that lab's directory.
fn start_owner(test: &str) -> Result<(Child, String)> {
    let note = env::temp_dir().join(format!("{test}-{}", std::process::id()));
    let mut command = Command::new(env::current_exe()?);
    let mut owner = command
        .args(["--exact", test])
        .env(STAND, &note)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let told = lab::wait_until("the other process's lab", Duration::from_secs(20), || {
        anyhow::ensure!(owner.try_wait()?.is_none(), "the other process has ended");
        Ok(fs::read_to_string(&note).is_ok_and(|told| !told.is_empty()))
    });
    let directory = fs::read_to_string(&note);
    let _ = fs::remove_file(&note);
    told?;
    Ok((owner, directory?))
}

fn directory_of(told: &str) -> &Path {
    Path::new(told)
}

/// Whether any namespace of the lab with this directory is there.
fn namespaces_of(told: &str) -> Result<bool> {
    let lab = Path::new(told)
        .file_name()
        .context("a lab's directory has a name")?;
    let prefix = format!("{}-", lab.to_string_lossy());
    for namespace in fs::read_dir("/run/netns")? {
        if namespace?
            .file_name()
            .to_string_lossy()
            .starts_with(&prefix)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn wait_for_output(child: &mut Child) -> Result<()> {
    let stdout = child.stdout.as_mut().context("stdout is a pipe")?;
    stdout.read_exact(&mut [0; 1])?;
    Ok(())
}
