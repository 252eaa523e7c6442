//! Wheels: archives as bytes.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::wheel(bytes);
});
