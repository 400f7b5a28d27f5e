//! An expression and a name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::controller::pattern::check(bytes));
