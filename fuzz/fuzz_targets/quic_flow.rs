//! A handshake in several QUIC Initial packets.
#![no_main]

use fuzz::quic::sequence::Sequence;
use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(sequence) = Sequence::from_bytes(bytes) else {
        return Corpus::Reject;
    };
    sequence.check();
    Corpus::Keep
});
