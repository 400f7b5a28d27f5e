//! Any frames in one QUIC Initial packet.
#![no_main]

use fuzz::quic::datagram::Datagram;
use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(datagram) = Datagram::from_bytes(bytes) else {
        return Corpus::Reject;
    };
    datagram.check();
    Corpus::Keep
});
