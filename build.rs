//! Tells the program which commit it was built from, and whether the checkout had changes.

use std::process::Command;

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn main() {
    for path in ["src", "data", "Cargo.toml", "Cargo.lock", "build.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    // Every commit and checkout is noted there; a path that is absent would rebuild every time.
    let moves = ".git/logs/HEAD";
    if std::path::Path::new(moves).is_file() {
        println!("cargo:rerun-if-changed={moves}");
    }
    println!("cargo:rerun-if-env-changed=SOXAUTO_BUILD_COMMIT");
    // An image is built without the repository; its build passes the commit of a clean checkout instead.
    #[expect(clippy::disallowed_methods, reason = "a build script has no arguments")]
    let given = std::env::var("SOXAUTO_BUILD_COMMIT");
    let (commit, dirty) = match given.ok().filter(|commit| !commit.is_empty()) {
        Some(commit) => (commit, false),
        None => {
            let commit = git(&["rev-parse", "HEAD"]);
            let changes = git(&[
                "status",
                "--porcelain",
                "--",
                "src",
                "data",
                "Cargo.toml",
                "Cargo.lock",
                "build.rs",
            ]);
            let clean = commit.is_some() && changes.is_some_and(|text| text.is_empty());
            (commit.unwrap_or_else(|| "unknown".to_owned()), !clean)
        }
    };
    println!("cargo:rustc-env=SOXAUTO_COMMIT={commit}");
    println!("cargo:rustc-env=SOXAUTO_DIRTY={dirty}");
}
