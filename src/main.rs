//! Entry point; everything is in the library.

use std::process::ExitCode;

/// Gives freed memory back: with the C library's allocator the peak grew with the number of rows (ADR-0013).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    soxauto::cli::main()
}
