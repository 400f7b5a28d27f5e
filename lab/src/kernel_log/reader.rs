//! Reading records one after another, without missing that some are lost.

use std::io::{self, ErrorKind, Read};

use rustix::io::Errno;

use super::Record;

/// A record is longer than this on no kernel; a shorter buffer would be refused.
const LONGEST: usize = 8192;

/// Reads from a device that gives one record with each read, and keeps those that count.
#[derive(Debug)]
pub(super) struct Reader<R> {
    device: R,
    counts: fn(&Record) -> bool,
    /// The last line, which the next record may continue, and whether it is among `found`.
    open: Option<(Record, bool)>,
    /// The number of the record that is to come next.
    next: Option<u64>,
    /// Records that were overwritten before they were read, as far as their numbers tell, and how
    /// often that happened.
    lost: u64,
    overruns: u64,
    found: Vec<String>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(device: R, counts: fn(&Record) -> bool) -> Self {
        Self {
            device,
            counts,
            open: None,
            next: None,
            lost: 0,
            overruns: 0,
            found: Vec::new(),
        }
    }

    /// Reads to the present end.
    pub(super) fn catch_up(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST];
        loop {
            match self.device.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => self.take(&buffer[..len])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What was to be read was overwritten; the next read gives the oldest record that
                // is left.
                Err(error) if error.raw_os_error() == Some(Errno::PIPE.raw_os_error()) => {
                    self.overruns += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Every line that counts so far, and a line about those that nobody read.
    pub(super) fn damage(&self) -> Vec<String> {
        let mut damage = self.found.clone();
        if self.overruns > 0 {
            let lost = self.lost.max(1);
            damage.push(format!(
                "at least {lost} records of the kernel's log were overwritten before they were read, and may have been \
                 damage: boot with a larger `log_buf_len`"
            ));
        }
        damage
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        let record = Record::parse(bytes).ok_or_else(|| {
            let text = String::from_utf8_lossy(bytes);
            io::Error::new(
                ErrorKind::InvalidData,
                format!("a record of unknown form: {text:?}"),
            )
        })?;
        self.lost += self
            .next
            .map_or(0, |next| record.sequence().saturating_sub(next));
        self.next = Some(record.sequence() + 1);
        record.into_lines().for_each(|line| self.judge(line));
        Ok(())
    }

    fn judge(&mut self, line: Record) {
        let (line, was_found) = match self.open.take() {
            Some((mut open, was_found)) if line.continues() => {
                open.append(&line);
                (open, was_found)
            }
            _ => (line, false),
        };
        let counts = was_found || (self.counts)(&line);
        if was_found {
            self.found.pop();
        }
        if counts {
            self.found.push(line.text().to_owned());
        }
        self.open = Some((line, counts));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::kernel_log::is_damage;

    /// Gives a record or an error with each read, and then has nothing.
    struct Recorded(VecDeque<Result<&'static str, Errno>>);

    impl Read for Recorded {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let record = self.0.pop_front().unwrap_or(Err(Errno::AGAIN))?.as_bytes();
            buffer[..record.len()].copy_from_slice(record);
            Ok(record.len())
        }
    }

    fn reader<const N: usize>(reads: [Result<&'static str, Errno>; N]) -> Reader<Recorded> {
        Reader::new(Recorded(reads.into()), |record| {
            record.is_by_kernel() && is_damage(record.text())
        })
    }

    #[test]
    fn damage_is_kept_and_nothing_else() {
        let mut reader = reader([
            Ok("6,7,1,-;IPv6: lan: link becomes ready\n"),
            Err(Errno::INTR),
            Ok("1,8,2,-;BUG: Bad page state in process client  pfn:03a1c\n"),
            Ok("12,9,3,-;BUG: says user space\n"),
            Err(Errno::AGAIN),
            Ok("4,10,4,-;page dumped because: page_pool leak\n"),
        ]);
        reader.catch_up().unwrap();
        let first = "BUG: Bad page state in process client  pfn:03a1c";
        assert_eq!(reader.damage(), [first]);
        reader.catch_up().unwrap();
        assert_eq!(
            reader.damage(),
            [first, "page dumped because: page_pool leak"]
        );
    }

    #[test]
    fn a_line_in_several_records_is_judged_as_a_whole() {
        let mut reader = reader([
            Ok("4,1,1,-;WARN\n"),
            Ok("4,2,1,c;ING: CPU: 1\n"),
            Ok("4,3,1,c; PID: 7\n"),
            Ok("4,4,2,-;Modules linked in:\n"),
            Ok("4,5,2,c; veth\n"),
        ]);
        reader.catch_up().unwrap();
        assert_eq!(reader.damage(), ["WARNING: CPU: 1 PID: 7"]);
    }

    #[test]
    fn overwritten_records_are_no_silence() {
        let mut reader = reader([Ok("6,7,1,-;one\n"), Err(Errno::PIPE), Ok("6,20,1,-;two\n")]);
        reader.catch_up().unwrap();
        let damage = reader.damage();
        assert!(
            damage[0].starts_with("at least 12 records of the kernel's log were overwritten"),
            "{damage:?}"
        );
    }

    #[test]
    fn a_log_that_cannot_be_read_is_an_error() {
        assert!(reader([Err(Errno::PERM)]).catch_up().is_err());
        assert!(reader([Ok("no record")]).catch_up().is_err());
    }
}
