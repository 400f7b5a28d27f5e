//! A connection whose client has its last answer, while its server knows nothing of that.

/// Where the two halves of such a connection are. Nothing locks the bucket for it: these are words
/// that one CPU writes, and what another one reads too early has a segment of the client sent once
/// more.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Sequence number that the server expects next: that of the first segment which it did not
    /// get.
    pub server: u32,
    /// Sequence number behind the FIN that the client got.
    pub client: u32,
    /// 1 if the connection is ended.
    is_there: u32,
    /// 1 if the server's half was reset.
    is_server_reset: u32,
}

impl Ended {
    pub(crate) const NONE: Self = Self {
        server: 0,
        client: 0,
        is_there: 0,
        is_server_reset: 0,
    };

    /// The connection ends; where its server is does not change, if it did before.
    #[inline(always)]
    pub(crate) fn at(&mut self, server: u32, client: u32) {
        if self.is_there == 0 {
            self.server = server;
        }
        self.client = client;
        self.is_there = 1;
    }

    /// Notes that the server's half is reset.
    #[inline(always)]
    pub(crate) fn reset_server(&mut self) {
        self.is_server_reset = 1;
    }

    #[inline(always)]
    pub(crate) fn is_server_reset(&self) -> bool {
        self.is_server_reset != 0
    }

    /// True if the connection has ended.
    #[inline(always)]
    pub(crate) fn is_there(&self) -> bool {
        self.is_there != 0
    }

    /// True if a segment that acknowledges up to here is of the connection that ended: its ports
    /// may be in use again.
    #[inline(always)]
    pub(crate) fn is_of(&self, acknowledged: u32) -> bool {
        /// More than an answer has, and what the client may not have got of what was sent before.
        const NEAR: u32 = 1 << 16;

        self.is_there() && self.client.wrapping_sub(acknowledged) < NEAR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_stays_where_it_was_when_the_client_is_answered_again() {
        let mut ended = Ended::NONE;
        assert!(!ended.is_there() && !ended.is_of(0));
        ended.at(100, 5_000);
        ended.at(140, 5_100);
        assert_eq!((ended.server, ended.client), (100, 5_100));
        assert!(
            ended.is_of(5_100)
                && ended.is_of(5_000)
                && !ended.is_of(5_101)
                && !ended.is_of(5_000_u32.wrapping_sub(1 << 16))
        );
        ended.reset_server();
        assert!(ended.is_server_reset());
    }
}
