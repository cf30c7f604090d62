//! What a month into the cloud costs in memory: staging in buckets, load and read-back in BigQuery.
//!
//! IPE_07 with 25 columns and 3,000,000 rows (or as many as the first argument says), from a stand-in in a process of its
//! own. The program runs in another, as the production image does; the fakes of the tests stand for Google, with the
//! BigQuery stand-in behind them, which no part of the figure is ours. Printed are seconds, rows a second, the peak of
//! the program as the kernel counted it, the bytes that lie in the buckets (as if they lay in memory), and what both
//! come to. SOXAUTO_TEST_BIGQUERY names the stand-in; `scripts/test` installs it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench stops at the first error and prints figures"
)]

#[path = "../../tests/it/cloud/fakes/mod.rs"]
#[allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "they are the tests'; a bench uses some of them"
)]
mod fakes;
#[path = "../checks/narrow.rs"]
mod narrow;
#[path = "../checks/stand_in.rs"]
mod stand_in;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use fakes::bigquery::{DATASET, Jobs, PROJECT};
use fakes::stand_in::Engine;
use stand_in::StandIn;

const ROWS: u64 = 3_000_000;
const MIB: f64 = 1_048_576.0;
/// Between two looks at what the process holds.
const LOOK: Duration = Duration::from_millis(20);

/// The month, run by a process of its own.
fn run(dir: &Path, jobs: &Jobs, source: &StandIn) -> Child {
    let secrets = dir.join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(
        secrets.join("DB_CREDENTIALS_NAV_BI"),
        &source.connection_string,
    )
    .unwrap();
    let catalog = dir.join("catalog");
    fs::create_dir(&catalog).unwrap();
    narrow::write(&catalog);
    let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
    command
        .args(["run", "--period", "2024-04", "--json"])
        .args(["--google-credentials", "metadata"])
        .arg("--secrets")
        .arg(format!("file:{}", secrets.display()))
        .arg("--catalog")
        .arg(&catalog)
        .args([
            "--staging",
            "gs://staging/pg01",
            "--evidence",
            "gs://evidence/pg01",
        ])
        .arg("--warehouse")
        .arg(format!("bigquery://{PROJECT}/{DATASET}?location=EU"));
    for (name, url) in jobs.settings().endpoints {
        command.args(["--google-endpoint", &format!("{name}={url}")]);
    }
    // As in the Dockerfile: freed memory goes back to the system at once.
    command.env("MIMALLOC_PURGE_DELAY", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The most that a process held in memory so far, in bytes; `None` when it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The process whose command names a folder.
fn naming(folder: &Path) -> u32 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut named = processes.filter_map(|process| {
        let command = fs::read_to_string(process.path().join("cmdline")).ok()?;
        let is_it = command.contains(folder.to_str().unwrap());
        is_it.then(|| process.file_name().to_str().unwrap().parse().unwrap())
    });
    named.next().unwrap()
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            bytes_below(&path)
        } else {
            entry.metadata().unwrap().len()
        }
    });
    sizes.sum()
}

fn mib(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap()) * 1024.0 / MIB
}

fn main() {
    let mut args = std::env::args().skip(1);
    let rows = args.find_map(|arg| arg.parse().ok()).unwrap_or(ROWS);
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let (engine, jobs) = runtime.block_on(async {
        let engine = Engine::start(dir.path()).await;
        let jobs = Jobs::start(Some(engine.clone())).await;
        (engine, jobs)
    });
    let source = StandIn::start(rows);
    let begun = Instant::now();
    let mut child = run(dir.path(), &jobs, &source);
    let (process, mut most) = (child.id(), 0);
    while child.try_wait().unwrap().is_none() {
        most = peak(process).unwrap_or(most).max(most);
        thread::sleep(LOOK);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the run failed:\n{said}");
    let counted = format!(
        "SELECT COUNT(*) FROM `{DATASET}.{}`",
        "pg01_validated_ipe_ipe_07"
    );
    let found = runtime.block_on(engine.run(&counted)).unwrap();
    let found = found.first().and_then(|row| row.first()).unwrap();
    assert_eq!(
        found.as_str(),
        Some(rows.to_string().as_str()),
        "in the dataset"
    );
    let (staged, sealed) = (
        bytes_below(&engine.buckets().join("staging")),
        bytes_below(&engine.buckets().join("evidence")),
    );
    let rate = f64::from(u32::try_from(rows).unwrap()) / elapsed;
    println!(
        "{rows} rows x 25 columns: {elapsed:.1} s, {rate:.0} rows/s; the program at most {:.1} MiB, staging {:.1} MiB, \
         evidence {:.2} MiB: {:.1} MiB of 2048 together; the BigQuery stand-in beside them at most {:.0} MiB",
        mib(most),
        mib(staged),
        mib(sealed),
        mib(most + staged + sealed),
        mib(peak(naming(dir.path())).unwrap_or_default()),
    );
}
