//! Names that are blocked, and their neighbours that are not.

use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result, ensure};
use frames::{Extension, Hello, server_name_at};
use lab::Family;

use super::{BLOCKED, LIST, OTHER};
use crate::dns::{self, Answer, NXDOMAIN};
use crate::runner::{Passed, passed};
use crate::servers;
use crate::world::{Heard, PATIENCE, World, send};

/// A list of patterns in AdBlock's syntax.
pub const PATTERNS: &str = "/^ad[0-9]+\\./\n||track*.pattern.example^\n";
/// Names that the patterns match, each with a neighbour that they do not match.
const MATCHED: [(&str, &str); 2] = [
    ("ad7.shop.example", "xad7.shop.example"),
    ("track12.pattern.example", "back12.pattern.example"),
];

/// Code of an Extended DNS Error: blocked (RFC 8914 §4.16).
const CODE_BLOCKED: u16 = 15;
/// Octets of a hello with a key share of X25519MLKEM768 and one of X25519, as browsers send it.
const POST_QUANTUM: usize = 1_700;
/// Where such a hello is cut: as a segment of an MTU of 1,500 would be, less what timestamps and
/// tunnels take.
const CUT: usize = 1_200;

/// A blocked name has NXDOMAIN with the list's name; another is answered by the server.
pub fn dns_over_udp(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        assert_blocked(world, family, BLOCKED)?;
        let answer = world
            .ask(family, BLOCKED, PATIENCE)?
            .context("no answer the second time")?;
        let expected = Some((CODE_BLOCKED, LIST.to_owned()));
        ensure!(
            answer.extended_error == expected,
            "the answer over {family} says {:?}",
            answer.extended_error
        );
        assert_answered(world, family, OTHER)?;
    }
    Ok(passed(format!(
        "over IPv4 and IPv6 {BLOCKED} is NXDOMAIN with the error 15 of its list, {OTHER} is answered by the server"
    )))
}

/// A blocked name has NXDOMAIN in its stream; another is answered by the server.
pub fn dns_over_tcp(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        let asked = world.servers().asked(BLOCKED);
        let Heard::Octets(octets) = ask_over_tcp(world, family, BLOCKED)? else {
            anyhow::bail!("{BLOCKED} over {family} has no answer");
        };
        let answer = Answer::read(octets.get(2..).unwrap_or_default())?;
        ensure!(
            answer.code == NXDOMAIN,
            "{BLOCKED} over {family}: {answer:?} in place of NXDOMAIN"
        );
        ensure!(
            world.servers().asked(BLOCKED) == asked,
            "{BLOCKED} over {family} came to the server"
        );
        let Heard::Octets(octets) = ask_over_tcp(world, family, OTHER)? else {
            anyhow::bail!("{OTHER} over {family} has no answer");
        };
        let answer = Answer::read(octets.get(2..).unwrap_or_default())?;
        ensure!(answer.is_by_server(), "{OTHER} over {family}: {answer:?}");
    }
    Ok(passed(format!(
        "over IPv4 and IPv6 {BLOCKED} is NXDOMAIN in its stream, {OTHER} is answered by the server"
    )))
}

/// Of queries that the client's kernel is given as one datagram to be cut (udp(7), `UDP_SEGMENT`),
/// each blocked one is answered.
pub fn joined(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        let queries = [
            dns::query(1, BLOCKED)?,
            dns::query(2, BLOCKED)?,
            dns::query(3, BLOCKED)?,
        ];
        let socket = world.dns_socket(family)?;
        socket
            .set_read_timeout(Some(PATIENCE))
            .context("a socket without a time-out")?;
        cut_into(&socket, queries[0].len())?;
        socket
            .send(&queries.concat())
            .context("cannot send a datagram")?;
        let mut told = Vec::new();
        for _ in &queries {
            let mut heard = vec![0; 4096];
            let len = socket
                .recv(&mut heard)
                .with_context(|| format!("over {family} {told:?} alone were told"))?;
            let answer = Answer::read(&heard[..len])?;
            ensure!(
                answer.code == NXDOMAIN,
                "over {family}: {answer:?} in place of NXDOMAIN"
            );
            told.push(answer.id);
        }
        told.sort_unstable();
        ensure!(told == [1, 2, 3], "over {family} {told:?} were told");
    }
    Ok(passed(
        "over IPv4 and IPv6 three blocked queries in one are each NXDOMAIN",
    ))
}

fn cut_into(socket: &UdpSocket, octets: usize) -> Result<()> {
    let octets = libc::c_int::try_from(octets)?;
    let (level, option) = (libc::SOL_UDP, libc::UDP_SEGMENT);
    let bytes = size_of_val(&octets) as libc::socklen_t;
    // SAFETY: the option's value is a number that lives as long as the call.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const octets).cast(),
            bytes,
        )
    };
    ensure!(
        failed == 0,
        "the kernel cuts no datagrams: {}",
        io::Error::last_os_error()
    );
    Ok(())
}

/// A blocked name has its connection reset, and the server sees nothing of the hello; another hello
/// comes to the server.
pub fn tls(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        assert_hello_blocked(world, family, &[&frames::client_hello(BLOCKED)])?;
        assert_hello_passes(world, family, &[&frames::client_hello(OTHER)])?;
    }
    Ok(passed(format!(
        "over IPv4 and IPv6 the hello for {BLOCKED} is reset, that for {OTHER} comes to the server"
    )))
}

/// The same of a hello that is too long for a segment: the sender's own cut, and one that the check
/// makes.
pub fn hello_in_two_segments(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        let (blocked, other) = (long_hello(BLOCKED)?, long_hello(OTHER)?);
        for cut in [blocked.len(), CUT] {
            let pieces = |hello: &'_ [u8]| -> Vec<Vec<u8>> {
                hello.chunks(cut).map(<[u8]>::to_vec).collect()
            };
            let (blocked, other) = (pieces(&blocked), pieces(&other));
            assert_hello_blocked(
                world,
                family,
                &blocked.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            )?;
            assert_hello_passes(
                world,
                family,
                &other.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            )?;
        }
    }
    Ok(passed(format!(
        "over IPv4 and IPv6 hellos of {POST_QUANTUM} octets, cut by the sender or at {CUT}, are judged by their name"
    )))
}

/// A hello as long as one with a post-quantum key share, with the server name in its second
/// segment.
fn long_hello(name: &str) -> Result<Vec<u8>> {
    let mut hello = Hello::of(name);
    let place = hello
        .place_of(Extension::SERVER_NAME)
        .context("a hello without a server name")?;
    let server_name = hello.extensions_mut().remove(place);
    hello
        .extensions_mut()
        .extend([Extension::padding(0), server_name]);
    let missing = POST_QUANTUM
        .checked_sub(hello.record().len())
        .context("the hello is too long already")?;
    let place = hello
        .place_of(Extension::PADDING)
        .context("a hello without padding")?;
    hello.extensions_mut()[place] = Extension::padding(missing);
    let record = hello.record();
    let at = server_name_at(&record, name).context("a hello without its name")?;
    ensure!(
        record.len() == POST_QUANTUM && at > CUT,
        "a hello of {} octets with its name at {at}",
        record.len()
    );
    Ok(record)
}

/// Names that patterns match are blocked.
pub fn patterns(world: &World, _: &'static str) -> Result<Passed<()>> {
    for family in Family::ALL {
        for (matched, other) in MATCHED {
            assert_blocked(world, family, matched)?;
            assert_answered(world, family, other)?;
        }
        let (matched, other) = MATCHED[0];
        assert_hello_blocked(world, family, &[&frames::client_hello(matched)])?;
        assert_hello_passes(world, family, &[&frames::client_hello(other)])?;
    }
    Ok(passed(
        "over IPv4 and IPv6 names that a regular expression and a wildcard match are blocked, their neighbours are not",
    ))
}

/// The client has NXDOMAIN over UDP, and the server was not asked.
pub fn assert_blocked(world: &World, family: Family, name: &str) -> Result<()> {
    let asked = world.servers().asked(name);
    let answer = world
        .ask(family, name, PATIENCE)?
        .with_context(|| format!("{name} over {family} has no answer"))?;
    ensure!(
        answer.code == NXDOMAIN,
        "{name} over {family}: {answer:?} in place of NXDOMAIN"
    );
    ensure!(
        world.servers().asked(name) == asked,
        "{name} over {family} came to the server"
    );
    Ok(())
}

/// The server answers the client over UDP.
pub fn assert_answered(world: &World, family: Family, name: &str) -> Result<()> {
    let answer = world
        .ask(family, name, PATIENCE)?
        .with_context(|| format!("{name} over {family} has no answer"))?;
    ensure!(
        answer.is_by_server(),
        "{name} over {family}: {answer:?} in place of the server's answer"
    );
    Ok(())
}

fn ask_over_tcp(world: &World, family: Family, name: &str) -> Result<Heard> {
    let mut stream = world.connect(family, servers::DNS)?;
    let query = dns::framed(&dns::query(1, name)?)?;
    send(&mut stream, &[&query])
}

/// The connection is reset, and the piece that completes the name does not come to the server.
fn assert_hello_blocked(world: &World, family: Family, pieces: &[&[u8]]) -> Result<()> {
    let mut stream = world.connect(family, servers::TLS)?;
    let heard = send(&mut stream, pieces)?;
    ensure!(
        heard == Heard::Reset,
        "a blocked hello over {family}: {} in place of a reset",
        shown(&heard)
    );
    let last = pieces.last().context("no pieces")?;
    let seen = seen(world, &stream)?;
    ensure!(
        !seen.ends_with(last),
        "a blocked hello over {family} came to the server"
    );
    Ok(())
}

/// The server sees the hello's octets.
fn assert_hello_passes(world: &World, family: Family, pieces: &[&[u8]]) -> Result<()> {
    let mut stream = world.connect(family, servers::TLS)?;
    let hello = pieces.concat();
    let heard = send(&mut stream, pieces)?;
    ensure!(
        heard == Heard::Octets(hello.clone()),
        "a hello over {family}: {} in place of an echo",
        shown(&heard)
    );
    ensure!(
        seen(world, &stream)? == hello,
        "a hello over {family} came to the server otherwise than it was sent"
    );
    Ok(())
}

fn seen(world: &World, stream: &TcpStream) -> Result<Vec<u8>> {
    Ok(world
        .servers()
        .stream(stream.local_addr().context("a socket without an address")?))
}

fn shown(heard: &Heard) -> String {
    match heard {
        Heard::Octets(octets) => format!("{} octets", octets.len()),
        other => format!("{other:?}").to_lowercase(),
    }
}
