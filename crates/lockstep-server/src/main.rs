//! The binary `lockstep`; everything is in the library, so that tests can use it too.

fn main() -> std::process::ExitCode {
    lockstep_server::cli::main()
}
