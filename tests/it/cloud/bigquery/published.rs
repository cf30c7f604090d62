//! Publications of a month in BigQuery: whatever is cut off or comes late, the tables show what the last one counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use soxauto::adapters::store;
use soxauto::domain::ids::RunId;
use soxauto::domain::limits::{BigQueryLimits, Limits};
use soxauto::domain::run::Program;
use soxauto::pipeline::lease::Leases;
use soxauto::pipeline::publication::{PublicationResult, Publisher, publish};
use soxauto::ports::{Clock, Processes, StoreRoot, Warehouse as _};
use soxauto::report::published::runs;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::fakes::bigquery::Jobs;
use super::super::fakes::server::{Fault, Gate, When};
use super::{MONTH, brisk, job, prepared, service, uris};
use crate::chaos::world::{Hands, Machine, limits};

const POSTS: &str = "POST /bigquery/v2/projects/test-project/jobs";
const PUBLISHED: &str = "soxauto_runs$202404";

/// A dataset, and a month of which packages are sealed.
struct World {
    dir: TempDir,
    jobs: Jobs,
    staging: StoreRoot,
    evidence: StoreRoot,
    /// How long a publication waits for another.
    wait: Duration,
    publications: u32,
    clock: Hands,
    /// Processes that are seen to be gone.
    gone: Arc<Mutex<BTreeSet<u32>>>,
}

/// A publication that was begun.
struct Running(JoinSet<PublicationResult>);

impl Running {
    async fn ended(&mut self) -> PublicationResult {
        self.0.join_next().await.unwrap().unwrap()
    }

    /// It does nothing more, wherever it is.
    async fn kill(mut self) {
        self.0.shutdown().await;
    }
}

/// The name of a publication in its n-th round, and the time.
fn name(publication: u32, round: u32) -> (RunId, DateTime<Utc>) {
    let at = "2024-05-03T09:00:00Z".parse().unwrap();
    (RunId::new(at, publication * 16 + round), at)
}

impl World {
    /// A month that shows publication 1, of one sealed package.
    async fn start() -> Self {
        let shared = Path::new("/dev/shm");
        let dir = match shared.is_dir() {
            true => tempfile::tempdir_in(shared),
            false => tempfile::tempdir(),
        };
        let dir = dir.unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let (staged, evidence) = (open("staging"), open("evidence"));
        let jobs = Jobs::start(None).await.patient(Duration::from_secs(60));
        let contract = runs(&[]).contract;
        jobs.service.dataset("EU");
        jobs.service.makes(&contract);
        jobs.service.bucket(dir.path().join("staging"), contract);
        let mut world = Self {
            dir,
            jobs,
            staging: StoreRoot {
                uri: "gs://staging".into(),
                ..staged
            },
            evidence,
            wait: limits().publication_wait,
            publications: 0,
            clock: Hands::now(),
            gone: Arc::default(),
        };
        world.seal(1);
        let first = world.publish().await;
        assert_eq!(first.error_message, None);
        assert_eq!(world.shown(), [name(1, 0).0.to_string()]);
        world
    }

    /// Seals a package that nobody can read: the registry has a row of it that says so.
    fn seal(&self, number: u32) {
        let run = name(100, number).0;
        let folder = format!("evidence/IPE_07/period=2024-04/run={run}");
        let folder = self.dir.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("manifest-sha256.txt"), "").unwrap();
    }

    /// Begins the next publication; each is a process of its own.
    fn begin(&mut self, within: BigQueryLimits) -> Running {
        self.publications += 1;
        let publication = self.publications;
        let warehouse = self.jobs.warehouse(within);
        let (staging, evidence) = (self.staging.clone(), self.evidence.clone());
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let processes: Arc<dyn Processes> = Arc::new(Machine {
            own: publication,
            gone: Arc::clone(&self.gone),
        });
        let limits = Limits {
            publication_wait: self.wait,
            ..limits()
        };
        let mut running = JoinSet::new();
        running.spawn(async move {
            let rounds = AtomicU32::new(0);
            let begin = || name(publication, rounds.fetch_add(1, Ordering::Relaxed));
            let program = Program {
                version: "0.0.0".to_owned(),
                commit: String::new(),
                dirty: false,
                binary_sha256: String::new(),
            };
            let publisher = Publisher {
                evidence: &evidence,
                leases: &Leases::within(&evidence),
                staging: &staging,
                warehouse: &warehouse,
                program: &program,
                limits: &limits,
                clock: &clock,
                processes: &processes,
                host: "test",
                stop: &CancellationToken::new(),
                begin: &begin,
            };
            publish(publisher, "2024-04".parse().unwrap()).await
        });
        Running(running)
    }

    /// A publication from its beginning to its end.
    async fn publish(&mut self) -> PublicationResult {
        self.begin(brisk()).ended().await
    }

    /// The process of a publication is no more, on this machine.
    fn seen_gone(&self, publication: u32) {
        self.gone.lock().unwrap().insert(publication);
    }

    /// The publications whose files the month shows, one a file.
    fn shown(&self) -> Vec<String> {
        let files = self.jobs.service.month(PUBLISHED).into_iter();
        let run = |uri: String| {
            let (_, behind) = uri.split_once("run=").unwrap();
            behind.split('/').next().unwrap().to_owned()
        };
        files.map(run).collect()
    }

    /// The next publication is the third; it shows all that is sealed, and nothing comes later.
    async fn assert_third_stays(&self, mut third: Running, rows: u64) {
        let third = third.ended().await;
        assert_eq!(third.error_message, None);
        assert_eq!(third.tables[0].rows, rows);
        assert_eq!(self.shown(), [name(3, 0).0.to_string()]);
        self.jobs.service.end_jobs();
        assert_eq!(self.shown(), [name(3, 0).0.to_string()], "nothing later");
    }
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_job_of_a_killed_publication_is_ended_or_awaited_before_the_next_one_loads() {
    for may_cancel in [true, false] {
        let mut world = World::start().await;
        world.jobs.service.hold(true);
        world.seal(2);
        let second = world.begin(brisk());
        until(|| world.jobs.service.loads().len() == 2).await;
        second.kill().await;
        world.seen_gone(2);
        world.seal(3);
        if !may_cancel {
            let no = Fault::Error(403, "PERMISSION_DENIED");
            world.jobs.fake.plan("/cancel", [no]);
        }
        let third = world.begin(brisk());
        until(|| !world.jobs.fake.seen("/cancel").is_empty()).await;
        assert_eq!(world.shown(), [name(1, 0).0.to_string()], "all at work");
        world.jobs.service.hold(false);
        world.assert_third_stays(third, 3).await;
    }
}

/// The negative twin: without a place in the line a job that was left at work takes the month back.
#[tokio::test]
async fn a_late_job_of_a_load_without_a_place_replaces_what_was_counted_since() {
    let (jobs, warehouse) = service().await;
    let (early, late) = (job(1, None), job(2, None));
    jobs.service.hold(true);
    let sleeper = prepared(&jobs).await;
    let mut cut_off = JoinSet::new();
    let left = early.clone();
    cut_off.spawn(async move { sleeper.load(&left).await });
    until(|| jobs.service.loads().len() == 1).await;
    cut_off.shutdown().await;
    jobs.service.hold(false);
    warehouse.load(&late).await.unwrap();
    assert_eq!(jobs.service.month(MONTH), uris(&late));
    jobs.service.end_jobs();
    assert_eq!(jobs.service.month(MONTH), uris(&early));
}

#[tokio::test]
async fn a_killed_publication_on_another_machine_blocks_no_longer_than_its_lease() {
    let mut world = World::start().await;
    world.wait = Duration::ZERO;
    world.jobs.service.hold(true);
    world.seal(2);
    let second = world.begin(brisk());
    until(|| world.jobs.service.loads().len() == 2).await;
    second.kill().await;
    world.jobs.service.hold(false);
    world.publications = 10;
    let refused = world.publish().await.error_message.unwrap();
    let holder = format!("publication {} has been at work", name(2, 0).0);
    assert!(refused.contains(&holder), "{refused}");
    world.clock.expire();
    world.publications = 2;
    let third = world.begin(brisk());
    world.assert_third_stays(third, 2).await;
}

#[tokio::test]
async fn a_publication_that_loses_sight_of_its_load_says_so_and_the_next_one_replaces_it() {
    // It closes the place of the first one, looks at its load, takes its own place, and loads.
    let lost = |replies: usize| {
        let served = vec![Fault::Served; 3];
        [served, vec![Fault::LostReply; replies]].concat()
    };
    let mut world = World::start().await;
    world.jobs.fake.plan(POSTS, lost(4));
    let second = world.publish().await;
    world.jobs.fake.assert_spent();
    assert!(second.tables.is_empty(), "{second:?}");
    let error = second.error_message.unwrap();
    for said in [
        "may have been replaced by job soxauto_load_",
        "bq show --project_id=test-project --location=EU -j soxauto_load_",
        "publish again",
    ] {
        assert!(error.contains(said), "`{said}` is missing: {error}");
    }
    // It ends well, unseen.
    world.jobs.service.end_jobs();
    assert_eq!(world.shown(), [name(2, 0).0.to_string()]);
    world.seal(2);
    let third = world.begin(brisk());
    world.assert_third_stays(third, 2).await;

    // The negative twin: of a reply that was lost once the job is found.
    let mut world = World::start().await;
    world.jobs.fake.plan(POSTS, lost(1));
    assert_eq!(world.publish().await.error_message, None);
    assert_eq!(world.shown(), [name(2, 0).0.to_string()]);
}

#[tokio::test]
async fn a_load_that_is_refused_is_an_error_and_the_old_month_stands() {
    for is_job in [true, false] {
        let mut world = World::start().await;
        world.seal(2);
        if is_job {
            world.jobs.service.fail("accessDenied", "no");
        } else {
            let no = Fault::Error(403, "PERMISSION_DENIED");
            let before = vec![Fault::Served; 3];
            world.jobs.fake.plan(POSTS, [before, vec![no]].concat());
        }
        let second = world.publish().await;
        world.jobs.fake.assert_spent();
        let error = second.error_message.unwrap();
        assert!(second.tables.is_empty(), "{error}");
        // A job that ended with an error replaced nothing; of one that may be there nobody knows.
        assert_eq!(error.contains("may have been replaced"), !is_job, "{error}");
        world.jobs.service.end_jobs();
        assert_eq!(world.shown(), [name(1, 0).0.to_string()]);
        let third = world.begin(brisk());
        world.assert_third_stays(third, 2).await;
    }
}

#[tokio::test]
async fn of_two_publications_at_once_the_later_waits_and_shows_what_was_sealed_last() {
    let mut world = World::start().await;
    let gate = Arc::new(Gate::default());
    let held = Fault::Held(Arc::clone(&gate), When::BeforeServing);
    world.jobs.fake.plan(POSTS, [held.clone()]);
    let mut second = world.begin(brisk());
    gate.reached().await;
    world.seal(2);
    let mut third = world.begin(brisk());
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(world.jobs.service.loads().len(), 1, "it waits");
    gate.open();
    let second = second.ended().await;
    assert_eq!(second.error_message, None);
    // Whoever of the two came last read what was sealed meanwhile, so that the other one's next round has it too.
    let third = third.ended().await;
    assert_eq!(third.error_message, None);
    let both = [second.publication_id, third.publication_id];
    let both: Vec<String> = both.iter().flatten().map(ToString::to_string).collect();
    let shown = world.shown();
    assert!(shown.len() == 1 && both.contains(&shown[0]), "{shown:?}");
    assert_eq!((second.tables[0].rows, third.tables[0].rows), (2, 2));

    // One that does not end in time is named, and ends well by itself.
    let mut world = World::start().await;
    world.wait = Duration::from_millis(200);
    world.jobs.fake.plan(POSTS, [held]);
    let mut second = world.begin(brisk());
    gate.reached().await;
    let third = world.publish().await;
    let error = third.error_message.unwrap();
    let holder = format!("publication {} has been at work", name(2, 0).0);
    assert!(error.contains(&holder), "{error}");
    gate.open();
    assert_eq!(second.ended().await.error_message, None);
    assert_eq!(world.shown(), [name(2, 0).0.to_string()]);
}

#[tokio::test]
async fn a_publication_that_sleeps_before_its_load_finds_its_job_taken() {
    let mut world = World::start().await;
    let gate = Arc::new(Gate::default());
    let held = Fault::Held(Arc::clone(&gate), When::BeforeServing);
    let before = vec![Fault::Served; 3];
    world.jobs.fake.plan(POSTS, [before, vec![held]].concat());
    let mut second = world.begin(brisk());
    gate.reached().await;
    world.clock.expire();
    world.seal(2);
    let third = world.begin(brisk());
    world.assert_third_stays(third, 2).await;
    gate.open();
    let error = second.ended().await.error_message.unwrap();
    let by = name(3, 0).0.to_string().to_lowercase();
    let taken = format!("publication {by} took the tables of 2024-04 over");
    for said in [taken.as_str(), "the other one has read the evidence"] {
        assert!(error.contains(said), "`{said}` is missing: {error}");
    }
    assert!(!error.contains("the other run's package"), "{error}");
    assert!(!error.contains("may have been replaced"), "{error}");
    world.jobs.service.end_jobs();
    assert_eq!(world.shown(), [name(3, 0).0.to_string()]);
}
