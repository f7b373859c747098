#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| signalpost::transport::fuzzing::http2(input));
