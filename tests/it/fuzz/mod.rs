//! Mutated byte streams, time-boxed: whatever arrives, the answer is an error or the truth; never a panic, never a hang.
//!
//! `SOXAUTO_FUZZ_SECONDS` is how long each test goes on, `SOXAUTO_FUZZ_SEED` where it begins. Case n of a run has the
//! seed of the run plus n, so the seed that a failure names runs that very case first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "in a test a panic is the answer; clippy knows only #[test] functions as tests"
)]

mod client;
mod mutate;
mod proxy;
mod runs;
mod server;

use std::collections::BTreeMap;
use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::stream::iter;
use futures::{FutureExt, StreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use self::mutate::Dice;
use crate::support::number;

/// Seconds of each test where nothing else is said: together about what `scripts/test` can spare.
const SECONDS_DEFAULT: u64 = 4;
/// Most cases do nothing but wait.
const CASES_AT_ONCE: usize = 8;
/// Longest that one case may take; a case that waits for a silent server takes half a second.
const CASE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a mutated answer may let the client wait. A good one that is late counts as an error, which it may be.
const PATIENCE: Duration = Duration::from_millis(500);

/// Panics on threads whose names begin with `fuzz`.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A runtime whose threads have this name, so that their panics are told from those of other tests.
fn runtime(name: &'static str) -> Runtime {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            if let Some(name) = thread.name().filter(|name| name.starts_with("fuzz")) {
                PANICS.lock().unwrap().push(format!("{name}: {info}"));
            }
            before(info);
        }));
    });
    let threads = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build();
    threads.unwrap()
}

fn panics(name: &str) -> Vec<String> {
    let panics = PANICS.lock().unwrap();
    let ours = panics.iter().filter(|panic| panic.starts_with(name));
    ours.cloned().collect()
}

/// Runs cases until the time is over, at least one, and says how a bad one is run again.
async fn cases(name: &'static str, case: impl AsyncFn(Dice)) {
    let seconds = number("SOXAUTO_FUZZ_SECONDS").unwrap_or(SECONDS_DEFAULT);
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let first = number("SOXAUTO_FUZZ_SEED").unwrap_or_else(|| clock().as_secs() << 20);
    let begin = Instant::now();
    let in_time = |_: &u64| ready(begin.elapsed() < Duration::from_secs(seconds));
    let seeds = iter(first..).take_while(in_time);
    let count = seeds
        .map(async |seed| {
            let case = AssertUnwindSafe(tokio::time::timeout(CASE_TIME_MAX, case(Dice(seed))));
            let again = format!("run it again with SOXAUTO_FUZZ_SEED={seed}");
            let in_time = case.catch_unwind().await;
            let in_time = in_time.unwrap_or_else(|_| panic!("{name} fails: {again}"));
            assert!(in_time.is_ok(), "{name} hangs: {again}");
            let panics = panics(name);
            assert!(
                panics.is_empty(),
                "{name}: {panics:#?}; {again}, or one just before"
            );
        })
        .buffer_unordered(CASES_AT_ONCE)
        .count()
        .await;
    println!("{name}: {count} cases from seed {first}");
}

/// Does work on the threads of the runtime, where its panics are seen.
async fn on_threads<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = JoinSet::new();
    task.spawn(work);
    task.join_next().await.unwrap().unwrap()
}

/// How often each kind of end was seen.
#[derive(Default)]
struct Ends(Mutex<BTreeMap<&'static str, u64>>);

impl Ends {
    fn count(&self, end: &'static str) {
        *self.0.lock().unwrap().entry(end).or_default() += 1;
    }

    fn print(&self) {
        println!("{:?}", self.0.lock().unwrap());
    }
}

/// The negative twin of every "never a panic" here.
#[test]
fn a_panic_behind_a_case_is_seen() {
    const NAME: &str = "fuzz-panic";
    runtime(NAME).block_on(async {
        let mut task = JoinSet::new();
        task.spawn(async { panic!("on purpose, to see that it is seen") });
        assert!(task.join_next().await.unwrap().is_err());
    });
    assert!(panics(NAME)[0].contains("on purpose"));
}
