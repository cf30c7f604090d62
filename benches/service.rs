//! What a run costs when somebody asks the service all the while whether it is healthy.
//!
//! Group: a run of IPE_07 in the service, over the embedded stand-in. Functions: the run alone, and with 1,000
//! `GET /health` a second over one connection. The bench ends with the ratio of the two, how many were answered and how
//! slowly at worst. Who asks is a thread of this process, so what asking costs is in the figure too. It takes the cores
//! that it is given and prints how many: `taskset -c 0` before it leaves one.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    reason = "a bench stops at the first error and prints a ratio"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use soxauto::domain::limits::{Limits, ServerLimits};
use soxauto::domain::plant::PlantProfile;
use soxauto::server::{Service, guarded, router, serve};
use soxauto::settings::{
    Access, GoogleSettings, RunSettings, SecretsChoice, ServiceSettings, SourceSettings,
    WarehouseChoice,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// As the program: the C library's allocator keeps what it got.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: u64 = 100_000;
const ROUNDS: usize = 5;
/// Between two questions: 1,000 a second.
const INTERVAL: Duration = Duration::from_millis(1);

fn settings(dir: &TempDir) -> ServiceSettings {
    let root = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let run = RunSettings {
        period: None,
        preliminary: false,
        accepted: Vec::new(),
        witnesses: Vec::new(),
        files: Vec::new(),
        items: Vec::new(),
        jobs: 1,
        staging: root("staging"),
        warehouse: WarehouseChoice::Local(root("warehouse")),
        evidence: root("evidence"),
        leases: None,
        catalog: None,
        source: SourceSettings {
            secrets: SecretsChoice::Sandbox,
            sandbox_rows: Some(ROWS),
            sandbox_data: None,
            sandbox_plant: PlantProfile::Clean,
        },
        google: GoogleSettings::default(),
        drive: None,
        disk_is_memory: false,
        shard: None,
        alert_webhook: None,
        stamps: Vec::new(),
        limits: Limits::default(),
    };
    ServiceSettings {
        run,
        access: Access::Anybody,
        project: None,
        async_job: None,
        grace: Duration::from_secs(8),
        limits: ServerLimits::default(),
    }
}

/// The service on a runtime of its own, as the program has it; it ends with this value.
struct Served {
    address: SocketAddr,
    _runtime: Runtime,
    _dir: TempDir,
}

fn served() -> Served {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    let service = Service::new(settings(&dir)).unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let router = guarded(router(Arc::clone(&service)), Arc::clone(&service));
    runtime.spawn(serve(listener, router, service, CancellationToken::new()));
    Served {
        address,
        _runtime: runtime,
        _dir: dir,
    }
}

/// Runs the month and waits for its end.
fn run(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = r#"{"cutoff_date": "2024-05-01", "ipes": ["IPE_07"]}"#;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(
        reply.contains(&format!("\"rows_extracted\":{ROWS}")),
        "{reply}"
    );
    begun.elapsed()
}

/// What came of the questions.
#[derive(Default)]
struct Answers {
    count: u32,
    slowest: Duration,
    elapsed: Duration,
}

/// Asks a thousand times a second until it is told to stop; what is late is caught up.
struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Answers>,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked_to = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            let (begun, mut answers) = (Instant::now(), Answers::default());
            while !asked_to.load(Ordering::Relaxed) {
                let due = begun + INTERVAL * answers.count;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let asked = Instant::now();
                health(&mut stream);
                answers.slowest = answers.slowest.max(asked.elapsed());
                answers.count += 1;
            }
            answers.elapsed = begun.elapsed();
            answers
        });
        Self { stop, thread }
    }

    fn stopped(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Asks once; the reply comes in one piece, because it is small.
fn health(stream: &mut TcpStream) {
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: b\r\n\r\n")
        .unwrap();
    let (mut reply, mut read) = ([0_u8; 2_048], 0);
    while !reply[..read].ends_with(b"}") {
        let more = stream.read(&mut reply[read..]).unwrap();
        assert!(more > 0, "the service hung up");
        read += more;
    }
    assert!(reply.starts_with(b"HTTP/1.1 200 "));
}

fn run_under_load(address: SocketAddr) -> (Duration, Answers) {
    let load = Load::start(address);
    let elapsed = run(address);
    (elapsed, load.stopped())
}

fn service(criterion: &mut Criterion) {
    let served = served();
    let address = served.address;
    run(address);
    let mut group = criterion.benchmark_group("service_run");
    group
        .throughput(Throughput::Elements(ROWS))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10);
    group.bench_function("alone", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| run(address)).sum());
    });
    group.bench_function("with_1000_health_a_second", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| run_under_load(address).0).sum());
    });
    group.finish();
    // Best of interleaved rounds, so that noise of the machine meets both alike.
    let (mut alone, mut loaded, mut all) = (Duration::MAX, Duration::MAX, Answers::default());
    for _ in 0..ROUNDS {
        alone = alone.min(run(address));
        let (elapsed, answers) = run_under_load(address);
        loaded = loaded.min(elapsed);
        all.count += answers.count;
        all.elapsed += answers.elapsed;
        all.slowest = all.slowest.max(answers.slowest);
    }
    println!(
        "{} cores: a run alone {:.2} s, under load {:.2} s: {:+.1} %; {:.0} GET /health a second answered, the slowest in {:.1} ms",
        thread::available_parallelism().unwrap(),
        alone.as_secs_f64(),
        loaded.as_secs_f64(),
        100.0 * (loaded.as_secs_f64() / alone.as_secs_f64() - 1.0),
        f64::from(all.count) / all.elapsed.as_secs_f64(),
        1_000.0 * all.slowest.as_secs_f64(),
    );
}

criterion_group!(benches, service);
criterion_main!(benches);
