# `just` lists the recipes.
default:
    @just --list

# What the CI runs
ci:
    bash .ci/run

# Format, lints, docs
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# Everything that the tests need, then all tests
test *NAME:
    scripts/test {{NAME}}

# Benches against the replay server
bench:
    cargo bench

# Peak memory of a run at 1 and 10 million rows
memory:
    scripts/memory

# One month on the embedded stand-in
demo:
    cargo run -- run --period 2024-04

# Review changed snapshots
snap:
    cargo insta review
