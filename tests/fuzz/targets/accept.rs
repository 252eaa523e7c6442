//! Negotiation: what a client accepts, in every header of it.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::accept(bytes);
});
