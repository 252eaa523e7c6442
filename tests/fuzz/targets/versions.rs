//! Versions and specifiers.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::versions(bytes);
});
