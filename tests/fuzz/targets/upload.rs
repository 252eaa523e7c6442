//! Whole uploads, made from recipes.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::upload(bytes);
});
