//! A payload of TCP in segments.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use fuzz::flow::Conversation;
use libfuzzer_sys::Corpus;

/// What the fuzzer shows of an input that fails is the conversation and not its bytes.
#[derive(Debug)]
struct Input(Conversation);

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::arbitrary_take_rest(Unstructured::new(bytes.bytes(bytes.len())?))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> arbitrary::Result<Self> {
        let conversation = Conversation::from_bytes(bytes.take_rest());
        conversation
            .map(Self)
            .ok_or(arbitrary::Error::IncorrectFormat)
    }
}

libfuzzer_sys::fuzz_target!(|input: Input| -> Corpus {
    input.0.check();
    Corpus::Keep
});
