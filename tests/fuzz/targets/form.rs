//! The multipart form of an upload, as it comes from the wire.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::form(bytes);
});
