//! Bodies of XML-RPC calls.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lockstep_fuzz::xmlrpc(bytes);
});
