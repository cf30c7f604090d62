//! Matching of ledger rows with target rows, both staged as Parquet with their keys in random order.
//!
//! Criterion's group: a million rows a side. Functions: our matching with everything in memory, the same with everything
//! in the scratch file, Polars' plain join in memory, and Polars gathering each side by key before it joins, as the
//! classes need. Then ten million rows a side, ours and the plain join each in a process of its own, in turns; the bench
//! ends with seconds, rows a minute and the peak resident memory that the kernel counted. Both are asked for the numbers
//! that the rows were made with.
//!
//! The files are made once, below the target folder: 10 million rows a side take half a gigabyte there.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first error and prints what processes of their own took"
)]

mod ours;
mod peer;
mod rows;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};

use rows::Sides;

/// As the program: the C library's allocator keeps what it got.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEW: u64 = 1_000_000;
const MANY: u64 = 10_000_000;
const ROUNDS: usize = 3;
/// First argument of a process that measures itself.
const MEASURED: &str = "measured";

/// Highest resident memory of this process in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kibibytes / 1_024
}

/// What the process does that was started for one measurement.
fn measured(who: &str) {
    let sides = rows::staged(MANY);
    let start = Instant::now();
    let scratch_bytes = match who {
        "ours" => ours::run(&sides, ours::Room::AsInARun),
        _ => {
            peer::plain_join(&sides);
            0
        }
    };
    let (millis, scratch_mib) = (start.elapsed().as_millis(), scratch_bytes >> 20);
    println!("{millis} {} {scratch_mib}", peak_mib());
}

/// Milliseconds, MiB and MiB of scratch of a process of its own.
fn measure(who: &str) -> [u64; 3] {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([MEASURED, who])
        // As in the Dockerfile: freed memory goes back to the system at once.
        .env("MIMALLOC_PURGE_DELAY", "0")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

fn few(criterion: &mut Criterion) {
    let sides = rows::staged(FEW);
    let mut group = criterion.benchmark_group("reconcile_1_million");
    group
        .throughput(Throughput::Elements(FEW * 2))
        .sampling_mode(SamplingMode::Flat)
        .measurement_time(Duration::from_secs(10))
        .sample_size(10);
    let mut of = |name: &str, run: &dyn Fn(&Sides)| {
        group.bench_function(name, |bencher| bencher.iter(|| run(&sides)));
    };
    of("matching_in_memory", &|sides| {
        ours::run(sides, ours::Room::Memory);
    });
    of("matching_in_scratch", &|sides| {
        ours::run(sides, ours::Room::Scratch);
    });
    of("peer_polars_plain_join", &peer::plain_join);
    of("peer_polars_gathered_join", &peer::gathered_join);
    group.finish();
}

fn many() {
    rows::staged(MANY);
    let mut best = [(u64::MAX, 0); 2];
    for _ in 0..ROUNDS {
        for (who, best) in ["ours", "polars"].into_iter().zip(&mut best) {
            let [millis, mib, scratch_mib] = measure(who);
            println!(
                "{who}: {:.1} s, {mib} MiB, scratch {scratch_mib} MiB",
                Duration::from_millis(millis).as_secs_f64()
            );
            *best = (best.0.min(millis), best.1.max(mib));
        }
    }
    for (who, (millis, mib)) in ["matching", "Polars' plain join in memory"]
        .into_iter()
        .zip(best)
    {
        println!(
            "{who}, {MANY} rows against {MANY}: best {:.1} s, {} million rows a minute, at most {mib} MiB",
            Duration::from_millis(millis).as_secs_f64(),
            MANY * 2 * 60_000 / millis / 1_000_000
        );
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(MEASURED) {
        measured(&arguments.next().unwrap());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    few(&mut criterion);
    criterion.final_summary();
    many();
}
