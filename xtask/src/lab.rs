//! `cargo xtask lab`: the demonstration's lab, standing.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use ::lab::{DnsServer, Family, Lab, Options, Role, SAMPLE_LIST, SERVER, Standing, TlsServer};
use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};

use crate::build;
use crate::setup::{self, Part};
use crate::workspace::{Workspace, become_program, need_root};

#[derive(Subcommand)]
pub enum Verb {
    /// Build the lab, start its servers, and say how to use it.
    Up,
    /// Open a shell inside.
    Shell {
        /// Where.
        #[arg(value_enum, default_value_t = Place::Client)]
        namespace: Place,
    },
    /// Take all of it away.
    Down,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Place {
    /// Asks.
    Client,
    /// Forwards; the filter belongs on its interface `lan`.
    Gateway,
    /// Answers.
    Server,
}

impl From<Place> for Role {
    fn from(place: Place) -> Self {
        match place {
            Place::Client => Self::Client,
            Place::Gateway => Self::Gateway,
            Place::Server => Self::Server,
        }
    }
}

pub fn run(verb: &Verb) -> Result<ExitCode> {
    match verb {
        Verb::Up => up(),
        Verb::Shell { namespace } => shell(Role::from(*namespace)),
        Verb::Down => down(),
    }
}

fn up() -> Result<ExitCode> {
    setup::ensure(&[Part::Build, Part::Lab])?;
    need_root("lab", "makes network namespaces")?;
    if let Some(standing) = Standing::find() {
        if standing.is_whole() {
            print_usage(standing.namespace(Role::Gateway).directory());
            return Ok(ExitCode::SUCCESS);
        }
        standing.remove()?;
    }
    build::release()?;
    ::lab::clean_up_on_signals()?;
    let lab = Lab::new_standing(&Options::default())?;
    let dns = DnsServer::start(lab.server())?;
    let tls = TlsServer::start(lab.server())?;
    let list = lab.directory().join("sample.hosts");
    std::fs::write(&list, SAMPLE_LIST)
        .with_context(|| format!("cannot write {}", list.display()))?;
    let directory = lab.directory().to_owned();
    lab.leave([dns.into_process(), tls.into_process()]);
    print_usage(&directory);
    Ok(ExitCode::SUCCESS)
}

fn shell(role: Role) -> Result<ExitCode> {
    need_root("lab", "enters network namespaces")?;
    let Some(standing) = Standing::find() else {
        bail!("there is no lab: build it with `cargo xtask lab up`");
    };
    let binaries = Workspace::read()?.namegate("release");
    let mut path = binaries
        .parent()
        .context("the target directory has no parent")?
        .as_os_str()
        .to_owned();
    path.push(":/usr/sbin:/sbin:");
    path.push(env::var_os("PATH").unwrap_or_default());
    let shell = env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    println!("A shell in the lab's {role}; leave it with `exit`.");
    let namespace = standing.namespace(role);
    let mut command = namespace.command(shell);
    command.env("PATH", path);
    // Not the socket of a controller that may run on the host.
    command.env(
        "NAMEGATE_SOCKET",
        namespace.directory().join("namegate.sock"),
    );
    become_program(&mut command)
}

fn down() -> Result<ExitCode> {
    need_root("lab", "removes network namespaces")?;
    ::lab::sweep()?;
    match Standing::find() {
        Some(standing) => {
            standing.remove()?;
            println!("The lab is gone.");
        }
        None => println!("There is no lab."),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_usage(directory: &Path) {
    let list = directory.join("sample.hosts");
    let [v4, v6] = Family::ALL.map(|family| SERVER.of(family));
    println!(
        "The lab is up: client eth0 -- lan gateway wan -- eth0 server ({v4}, {v6}).
The server answers every name with its own addresses, and serves a page over TLS.

  In one terminal, filter on the gateway:
    cargo xtask lab shell gateway
    namegate run --iface lan --list {}

  In another, ask from the client, and see what was counted:
    cargo xtask lab shell
    dig +tries=1 www.example.org
    dig +tries=1 stats.g.doubleclick.net
    curl -k --max-time 3 https://www.example.org/
    curl -k --max-time 3 --resolve ads.example.com:443:{v4} https://ads.example.com/
    namegate stats

  Take it all away:
    cargo xtask lab down",
        list.display()
    );
}
