//! One run of an item and month at a time, and what becomes of a run that died.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::ids::RunId;
use soxauto::domain::limits::Limits;
use soxauto::domain::manifest::Submitted;
use soxauto::domain::reconcile::months::MonthEvent;
use soxauto::domain::run::{ItemStatus, ProcessMark};
use soxauto::pipeline::Tools;
use soxauto::pipeline::lease::{Lease, Leases, leases_folder, take};
use soxauto::pipeline::months;
use soxauto::pipeline::package::{bury, write::package_folder};
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::ItemRecord;
use soxauto::ports::{Clock, PortError, PortErrorKind, Processes, Source, Sources};
use tokio_util::sync::CancellationToken;

use crate::evidence::sample::{context, ipe, period, start};
use crate::evidence::world::{World, assert_valid, verify};

/// A clock that stands until it is told otherwise.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        start() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A machine with one process, which is there or gone.
struct OneProcess(AtomicBool);

impl Processes for OneProcess {
    fn mine(&self) -> Option<ProcessMark> {
        Some(ProcessMark {
            boot: "b".into(),
            namespace: "n".into(),
            pid: 1,
            started_ticks: 1,
        })
    }

    fn is_gone(&self, _mark: &ProcessMark) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

struct NoSources;

#[async_trait]
impl Sources for NoSources {
    async fn source(&self, _secret: &str) -> Result<Arc<dyn Source>, PortError> {
        Err(PortError::new(PortErrorKind::Unsupported, "no source"))
    }
}

pub(crate) struct Site {
    pub(crate) tools: Tools,
    hands: Arc<Hands>,
    process: Arc<OneProcess>,
    world: World,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let world = World::run(0).await;
        let (hands, process) = (
            Arc::new(Hands(0.into())),
            Arc::new(OneProcess(false.into())),
        );
        let staging = store::memory();
        let root = store::open(world.dir.path().to_str().unwrap()).unwrap();
        let evidence = store::memory();
        let tools = Tools {
            sources: Arc::new(NoSources),
            warehouse: Arc::new(LocalWarehouse::new(&root, staging.clone()).unwrap()),
            staging,
            leases: Leases::within(&evidence),
            evidence,
            clock: Arc::<Hands>::clone(&hands),
            processes: Arc::<OneProcess>::clone(&process),
            progress: Arc::new(Silent),
            stop: CancellationToken::new(),
            limits: Limits::default(),
            places: world.record.places.clone(),
        };
        Self {
            tools,
            hands,
            process,
            world,
        }
    }

    /// The record of a run that begins.
    pub(crate) fn record(&self, number: u32) -> ItemRecord {
        let mut record = self.world.record.clone();
        record.context = context(number);
        record.context.run_id = RunId::new(start(), number);
        record.staged = None;
        record.receipt = None;
        record.read_back = None;
        record.read_back_runs = None;
        record.recomputed = None;
        record.source_totals = None;
        record.nulls = None;
        record.keys = None;
        record.checks.clear();
        record.verification.clear();
        record.status = ItemStatus::Error;
        record
    }

    pub(crate) async fn take(&self, number: u32) -> Result<(Lease, Vec<ItemRecord>), PortError> {
        Ok(take(&self.tools, &self.record(number)).await?)
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.hands.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_second_run_is_refused_until_the_first_has_ended() {
    let site = Site::new().await;
    let (first, dead) = site.take(1).await.unwrap();
    assert_eq!(dead, vec![]);
    let refused = site.take(2).await.unwrap_err();
    assert_eq!(refused.kind, PortErrorKind::Denied);
    let (message, id) = (refused.to_string(), RunId::new(start(), 1));
    assert!(
        message.contains(id.as_str()) && message.contains("expires at 20"),
        "{message}"
    );
    first.still_ours().await.unwrap();
    first
        .end(&site.tools.clock, ItemStatus::Success)
        .await
        .unwrap();
    let (_second, dead) = site.take(2).await.unwrap();
    assert_eq!(dead, vec![], "a run that ended is not dead");
}

#[tokio::test]
async fn a_silent_run_is_dead_and_may_not_load_any_more() {
    let site = Site::new().await;
    let (first, _) = site.take(1).await.unwrap();
    site.later(299);
    assert!(site.take(2).await.is_err(), "five minutes are not over");
    site.later(1);
    let (second, dead) = site.take(2).await.unwrap();
    let lost = first.still_ours().await.unwrap_err();
    assert!(
        lost.to_string().contains("took this item and month over"),
        "{lost}"
    );
    second.still_ours().await.unwrap();

    let [dead] = dead.try_into().unwrap();
    assert_eq!(dead.context.run_id, RunId::new(start(), 1));
    bury(&site.tools, &dead).await.unwrap();
    let folder = package_folder(&dead);
    assert!(folder.ends_with(".abandoned"), "{folder}");
    let package = site.tools.evidence.below(&folder);
    let summary = package.get("data/summary.md").await.unwrap();
    assert!(String::from_utf8_lossy(&summary).contains("**ABANDONED**"));
    assert_valid(&verify(&package).await);
}

#[tokio::test]
async fn a_run_whose_process_is_gone_is_dead_at_once() {
    let site = Site::new().await;
    let (_first, _) = site.take(1).await.unwrap();
    site.process.0.store(true, Ordering::SeqCst);
    let (_second, dead) = site.take(2).await.unwrap();
    assert_eq!(dead.len(), 1);
}

#[tokio::test]
async fn a_dead_run_that_had_sealed_itself_gets_no_second_package() {
    let site = Site::new().await;
    let _dead = site.take(1).await.unwrap();
    let sealed =
        soxauto::pipeline::package::seal(&site.tools.evidence, &site.world.record, b"{}\n");
    sealed.await.unwrap();
    let before = site.tools.evidence.list("").await.unwrap();
    let mut dead = site.world.record.clone();
    dead.status = ItemStatus::Abandoned;
    bury(&site.tools, &dead).await.unwrap();
    assert_eq!(site.tools.evidence.list("").await.unwrap(), before);
}

#[tokio::test]
async fn signs_of_life_keep_a_long_run_alive_and_end_with_it() {
    let mut site = Site::new().await;
    site.tools.limits.lease_beat_interval = Duration::from_millis(10);
    let (first, _) = site.take(1).await.unwrap();
    let beats = async || {
        let folder = leases_folder(&ipe(), period());
        let stored = site.tools.evidence.list(&folder).await.unwrap();
        stored
            .iter()
            .filter(|object| object.path.contains("beat-"))
            .count()
    };
    site.later(400);
    let before = beats().await;
    while beats().await < before + 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(site.take(2).await.is_err(), "it lived a moment ago");
    drop(first);
    tokio::time::sleep(Duration::from_millis(30)).await;
    let last = beats().await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(beats().await, last, "a dropped lease gives no sign");
    site.later(400);
    assert_eq!(site.take(2).await.unwrap().1.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_runs_at_once_exactly_one_is_at_work() {
    let site = Arc::new(Site::new().await);
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..16 {
        let site = Arc::clone(&site);
        runs.spawn(async move { site.take(number).await });
    }
    let taken: Vec<_> = runs
        .join_all()
        .await
        .into_iter()
        .filter_map(Result::ok)
        .collect();
    assert_eq!(taken.len(), 1);
}

#[tokio::test]
async fn a_final_month_is_refused_with_who_and_when() {
    let site = Site::new().await;
    let (first, _) = site.take(1).await.unwrap();
    let closed = |number, by: &str| MonthEvent::Closed {
        run_id: RunId::new(start(), number),
        manifest_sha256: "0".repeat(64),
        by: by.to_owned(),
    };
    let log = &site.tools.evidence;
    months::append(log, period(), closed(1, "A. Mwangi"), start(), None)
        .await
        .unwrap();
    for refused in [
        site.take(2).await.unwrap_err(),
        first.still_ours().await.unwrap_err(),
    ] {
        assert_eq!(refused.kind, PortErrorKind::Denied);
        let message = refused.to_string();
        assert!(
            message.contains("is final: A. Mwangi closed it on 2024-05-01"),
            "{message}"
        );
    }
    let again = months::append(log, period(), closed(2, "B. Diallo"), start(), None).await;
    assert_eq!(again.unwrap_err().kind, PortErrorKind::Denied);
    let reopened = MonthEvent::Reopened {
        reason: "an invoice came late".into(),
        ticket: "FIN-12".into(),
        approver: "B. Diallo".into(),
        by: "A. Mwangi".into(),
    };
    months::append(log, period(), reopened, start(), None)
        .await
        .unwrap();
    first.still_ours().await.unwrap();
}

/// What an auditor needs to look up what a killed run may have done to the month.
#[tokio::test]
async fn a_dead_run_is_sealed_with_the_load_that_it_noted_last() {
    let load = |number: u32| Submitted {
        job_id: format!("job-{number}"),
        destination_table: "t$202404".into(),
        look: format!("bq show -j job-{number}"),
    };
    for (notes, left) in [
        (vec![], None),
        (vec![Some(load(1))], Some(load(1))),
        (vec![Some(load(1)), None], None),
        (vec![Some(load(1)), None, Some(load(2))], Some(load(2))),
    ] {
        let site = Site::new().await;
        let (mut first, _) = site.take(1).await.unwrap();
        for note in &notes {
            first.note_load(note.as_ref()).await.unwrap();
        }
        site.later(300);
        let (_second, dead) = site.take(2).await.unwrap();
        let [dead] = dead.try_into().unwrap();
        assert_eq!(dead.submitted, left);
        bury(&site.tools, &dead).await.unwrap();
        let package = site.tools.evidence.below(&package_folder(&dead));
        assert_valid(&verify(&package).await);
        let page = package.get("data/summary.md").await.unwrap();
        let page = String::from_utf8_lossy(&page);
        for number in 1..=2 {
            let job = format!("may have been replaced by job job-{number}; look with");
            let is_left = left == Some(load(number));
            assert_eq!(page.contains(&job), is_left, "{page}");
        }
    }
}
