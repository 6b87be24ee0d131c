//! Hands what libFuzzer makes up to `recado_fuzz_checks::mqtt`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| recado_fuzz_checks::mqtt(input));
