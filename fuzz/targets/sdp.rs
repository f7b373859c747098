#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| signalpost::api::fuzzing::sdp(input));
