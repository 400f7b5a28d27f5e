//! Clients that send something large that is blocked, and how they are told.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::mem;
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use frames::{Extension, Hello};
use lab::Family;

use crate::dns::{self, Answer, NXDOMAIN};
use crate::servers;
use crate::world::World;

/// How long a client waits to be told.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same for datagrams, which are not sent again.
const DATAGRAM_PATIENCE: Duration = Duration::from_millis(500);
/// Longest fragment of a record (RFC 8446 §5.1), rounded down.
const RECORD: usize = 16_000;
/// Names of this kind have a long answer: an alias of a blocked name.
const LONG: &str = "long.example.org";

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A TLS hello.
    Hello,
    /// A query over TCP.
    Stream,
    /// A query in a datagram.
    Datagram,
    /// A response over TCP, from the server.
    ResponseStream,
    /// A response in a datagram, from the server.
    ResponseDatagram,
}

impl Kind {
    pub fn is_datagram(self) -> bool {
        matches!(self, Self::Datagram | Self::ResponseDatagram)
    }

    /// True if smaller MTUs would have it cut into fragments.
    pub fn needs_large_mtu(self) -> bool {
        self.is_datagram()
    }
}

/// How a client was told that it was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// After this time and so many retransmissions.
    After(Duration, u32),
    /// Not in time.
    NotAtAll,
    /// It had what it asked for.
    Unblocked,
}

impl Told {
    /// True if it was told within this time, or on its first retransmission, before which the
    /// kernel sends a probe.
    pub fn is_soon(self, limit: Duration) -> bool {
        matches!(self, Self::After(time, again) if time <= limit || again <= 2)
    }

    pub fn is_unblocked(self) -> bool {
        self == Self::Unblocked
    }

    /// In words: how many were told when, and which were not.
    pub fn summary(told: &[(usize, Self)]) -> String {
        let count = |is: fn(&Self) -> bool| told.iter().filter(|(_, told)| is(told)).count();
        let at_once = count(|told| matches!(told, Self::After(_, 0)));
        let later = count(|told| matches!(told, Self::After(_, 1..)));
        let longest = told.iter().filter_map(|(_, told)| {
            if let Self::After(time, _) = told {
                Some(*time)
            } else {
                None
            }
        });
        let longest = longest.max().unwrap_or_default().as_millis();
        let mut text = format!(
            "of {} blocked, {at_once} were told at once, {later} on a retransmission",
            told.len()
        );
        // A string takes all.
        let _ = write!(text, " (the longest wait was {longest} ms)");
        let sizes = |is: fn(&Self) -> bool| {
            let mut sizes: Vec<_> = told
                .iter()
                .filter(|(_, told)| is(told))
                .map(|(size, _)| *size)
                .collect();
            sizes.dedup();
            sizes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        for (is, what) in [
            (Self::is_not_told as fn(&Self) -> bool, "were not told"),
            (|told: &Self| told.is_unblocked(), "came through"),
        ] {
            if count(is) > 0 {
                let _ = write!(text, ", {} {what} (of {} octets)", count(is), sizes(is));
            }
        }
        text
    }

    fn is_not_told(&self) -> bool {
        *self == Self::NotAtAll
    }
}

/// Sends something of this size that has to do with a blocked name.
pub fn ask(world: &World, family: Family, kind: Kind, blocked: &str, size: usize) -> Result<Told> {
    match kind {
        Kind::Hello => over_tcp(world, family, servers::TLS, &hello(blocked, size)?),
        Kind::Stream => over_tcp(
            world,
            family,
            servers::DNS,
            &dns::framed(&dns::padded_query(1, blocked, size)?)?,
        ),
        Kind::Datagram => in_datagram(world, family, &dns::padded_query(1, blocked, size)?),
        Kind::ResponseStream => over_tcp(
            world,
            family,
            servers::DNS,
            &dns::framed(&dns::query(1, &long_name(blocked, size))?)?,
        ),
        Kind::ResponseDatagram => {
            in_datagram(world, family, &dns::query(1, &long_name(blocked, size))?)
        }
    }
}

/// What the lab's server answers: an alias of a blocked name and much more, where the name asks for
/// it.
pub fn respond(query: &[u8]) -> Result<Vec<u8>> {
    let name = dns::question(query)?;
    match name
        .strip_suffix(LONG)
        .and_then(|rest| rest.trim_end_matches('.').split_once('.'))
    {
        Some((size, blocked)) => dns::alias_to(
            query,
            blocked,
            size.parse().context("a name without a size")?,
        ),
        None => dns::answer_to(query),
    }
}

fn long_name(blocked: &str, size: usize) -> String {
    format!("{size}.{blocked}.{LONG}")
}

/// A hello of this size; of a larger one than a record holds, with records of data behind it.
fn hello(name: &str, size: usize) -> Result<Vec<u8>> {
    /// `ContentType` `application_data`, and TLS 1.2 (RFC 8446 §5.2).
    const DATA: [u8; 3] = [23, 3, 3];
    const HEADERS: usize = 4 + 5;

    let mut hello = Hello::of(name);
    let bare = hello.record().len();
    if let Some(padding) = size.min(RECORD).checked_sub(bare + HEADERS) {
        hello.extensions_mut().push(Extension::padding(padding));
    }
    let mut octets = hello.record();
    while octets.len() + HEADERS < size {
        let len = (size - octets.len() - 5).min(RECORD);
        octets.extend(DATA);
        octets.extend(
            u16::try_from(len)
                .context("a record that is too long")?
                .to_be_bytes(),
        );
        octets.extend(vec![0x5a; len]);
    }
    Ok(octets)
}

fn over_tcp(world: &World, family: Family, port: u16, octets: &[u8]) -> Result<Told> {
    let mut stream = world.connect(family, port)?;
    // All of it is written at once, so that offload makes large frames of it.
    rustix::net::sockopt::set_socket_send_buffer_size(&stream, 2 * octets.len().max(1 << 17))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let start = Instant::now();
    let answer = stream
        .write_all(octets)
        .and_then(|()| answer(&mut stream, port == servers::DNS));
    let told = match answer {
        // The end of the stream, an alert, or a reset.
        Ok(octets)
            if octets.is_empty()
                || is_alert(&octets)
                || port == servers::DNS && is_no_name(&octets) =>
        {
            true
        }
        Ok(_) => return Ok(Told::Unblocked),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            ) =>
        {
            true
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
        Err(error) => return Err(error).context("a connection of the client failed"),
    };
    Ok(if told {
        Told::After(start.elapsed(), retransmissions(&stream)?)
    } else {
        Told::NotAtAll
    })
}

/// What the other end answers: of DNS a whole message, since its first segments may come before its
/// name is known to be blocked; else the first octets. Nothing if the stream ends before.
fn answer(stream: &mut TcpStream, is_dns: bool) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let len = stream.read(&mut piece)?;
        answer.extend_from_slice(&piece[..len]);
        // RFC 1035 §4.2.2: a message follows its length.
        let is_whole = match *answer {
            _ if !is_dns => true,
            [l0, l1, ref message @ ..] => {
                message.len() >= usize::from(u16::from_be_bytes([l0, l1]))
            }
            _ => false,
        };
        if is_whole {
            return Ok(answer);
        }
        if len == 0 {
            return Ok(Vec::new());
        }
    }
}

/// A DNS message behind its length that says that there is no such name.
fn is_no_name(octets: &[u8]) -> bool {
    Answer::read(octets.get(2..).unwrap_or_default()).is_ok_and(|answer| answer.code == NXDOMAIN)
}

/// An alert in a record of its own (RFC 8446 §6).
fn is_alert(octets: &[u8]) -> bool {
    octets.first() == Some(&21) && octets.len() == 7
}

fn in_datagram(world: &World, family: Family, query: &[u8]) -> Result<Told> {
    let socket = world.dns_socket(family)?;
    socket.set_read_timeout(Some(DATAGRAM_PATIENCE))?;
    let start = Instant::now();
    socket.send(query).context("cannot send a datagram")?;
    let mut heard = vec![0; 65_535];
    match socket.recv(&mut heard) {
        Ok(len) => {
            let answer = Answer::read(&heard[..len])?;
            Ok(if answer.code == NXDOMAIN {
                Told::After(start.elapsed(), 0)
            } else {
                Told::Unblocked
            })
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(Told::NotAtAll)
        }
        Err(error) => Err(error).context("a socket of the client failed"),
    }
}

/// Segments that the client's kernel sent again, probes included.
fn retransmissions(stream: &TcpStream) -> Result<u32> {
    // SAFETY: it is a structure of integers.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut len = size_of_val(&info) as libc::socklen_t;
    let to = (&raw mut info).cast();
    // SAFETY: the kernel writes as many octets as the structure has at most.
    let refused = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            to,
            &raw mut len,
        )
    };
    ensure!(
        refused == 0,
        "the kernel tells nothing of a connection: {}",
        io::Error::last_os_error()
    );
    Ok(info.tcpi_total_retrans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_as_long_as_asked_for() {
        for size in [800, 1_600, 6_400, 16_000, 25_600, 60_000] {
            let len = hello("reset.example.com", size).unwrap().len();
            assert!(len.abs_diff(size) < 10, "{len} for {size}");
        }
        assert!(hello("reset.example.com", 100).unwrap().len() < 400);
    }

    #[test]
    fn long_names_have_an_alias_of_the_blocked_name_as_their_answer() {
        let query = dns::query(1, &long_name("reset.example.com", 4_000)).unwrap();
        let response = respond(&query).unwrap();
        assert!(
            response.len() > 3_700 && response.len() <= 4_000,
            "{}",
            response.len()
        );
        assert!(!Answer::read(&response).unwrap().is_by_server());
        let other = respond(&dns::query(1, "first.example").unwrap()).unwrap();
        assert!(Answer::read(&other).unwrap().is_by_server());
    }

    #[test]
    fn a_summary_names_the_sizes_that_were_not_told() {
        let after = |milliseconds, times| Told::After(Duration::from_millis(milliseconds), times);
        let told = [
            (100, after(2, 0)),
            (200, after(210, 1)),
            (400, Told::NotAtAll),
            (400, Told::NotAtAll),
        ];
        assert_eq!(
            Told::summary(&told),
            "of 4 blocked, 1 were told at once, 1 on a retransmission (the longest wait was 210 ms), 2 were not told \
             (of 400 octets)"
        );
    }
}
