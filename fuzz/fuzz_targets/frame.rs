//! Any bytes as a frame.
#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| fuzz::frame::check(frame));
