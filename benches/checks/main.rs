//! What the checks cost: a whole run of one item against its journey.
//!
//! Group: IPE_07 with 25 columns and a million rows, from a stand-in in a process of its own, over TLS. Functions: the
//! bare journey (rows off the wire, Parquet staged, month loaded), the proven journey (with digest and totals of every
//! row, their second computation from the staged bytes, and the month read back), and the run as the program makes it,
//! with every question and check and a sealed package. All load the same rows in the same files, which the bench proves
//! before it measures.
//! The population is that of the stand-in's ten thousand entries: what a server needs for those questions over a
//! million is not in the figure. The bench ends with the seconds of both, and of every step of the run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench stops at the first error and prints a ratio"
)]

#[path = "../common/mod.rs"]
mod common;
mod narrow;
mod stand_in;
mod tours;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

use tours::{Tour, Tours};

/// As the program: the C library's allocator keeps what it got.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: u64 = 1_000_000;
const ROUNDS: usize = 3;

/// Best of several interleaved rounds, so that noise of the machine meets both alike.
fn best(runtime: &Runtime, tours: &Tours) -> [Tour; 3] {
    let quicker = |best: Option<Tour>, tour: Tour| match best {
        Some(best) if best.elapsed <= tour.elapsed => Some(best),
        _ => Some(tour),
    };
    let [mut bare, mut proven, mut whole] = [None, None, None];
    for _ in 0..ROUNDS {
        bare = quicker(bare, runtime.block_on(tours.bare()));
        proven = quicker(proven, runtime.block_on(tours.proven()));
        whole = quicker(whole, runtime.block_on(tours.whole()));
    }
    [bare.unwrap(), proven.unwrap(), whole.unwrap()]
}

fn checks(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let tours = Tours::new(ROWS);
    runtime.block_on(tours.load_the_same());
    let mut group = criterion.benchmark_group("ipe_07_25_columns");
    group
        .throughput(Throughput::Elements(ROWS))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10);
    let total = |tours: Vec<Tour>| tours.iter().map(|tour| tour.elapsed).sum::<Duration>();
    group.bench_function("bare", |bencher| {
        bencher.iter_custom(|times| {
            total((0..times).map(|_| runtime.block_on(tours.bare())).collect())
        });
    });
    group.bench_function("proven", |bencher| {
        bencher.iter_custom(|times| {
            total(
                (0..times)
                    .map(|_| runtime.block_on(tours.proven()))
                    .collect(),
            )
        });
    });
    group.bench_function("checked_and_sealed", |bencher| {
        bencher.iter_custom(|times| {
            total(
                (0..times)
                    .map(|_| runtime.block_on(tours.whole()))
                    .collect(),
            )
        });
    });
    group.finish();
    let [bare, proven, whole] = best(&runtime, &tours);
    let seconds = |tour: &Tour| tour.elapsed.as_secs_f64();
    println!(
        "bare {:.2} s, proven {:.2} s, checked and sealed {:.2} s: the checks add {:.0} % to the proven journey; proofs \
         and checks add {:.0} % to the bare one",
        seconds(&bare),
        seconds(&proven),
        seconds(&whole),
        100.0 * (seconds(&whole) / seconds(&proven) - 1.0),
        100.0 * (seconds(&whole) / seconds(&bare) - 1.0)
    );
    for (name, tour) in [
        ("bare", bare),
        ("proven", proven),
        ("checked and sealed", whole),
    ] {
        let steps = tour.steps.iter();
        let steps = steps.map(|(step, elapsed)| format!("{step} {:.2}", elapsed.as_secs_f64()));
        println!("{name}, seconds: {}", steps.collect::<Vec<_>>().join(", "));
    }
}

criterion_group!(benches, checks);
criterion_main!(benches);
