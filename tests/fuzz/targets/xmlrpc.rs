#![no_main]
#![expect(missing_docs, reason = "a program of one line")]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::xmlrpc(bytes);
});
