//! Publications of one month stand in one line: one is at work at a time, and a month does not go back to an earlier one.

use std::time::{Duration, Instant};

use soxauto::adapters::store;
use soxauto::domain::reconcile::months::MonthEvent;
use soxauto::pipeline::months;

use super::*;

type Shown = Vec<(String, String, i64)>;

fn shows(number: u32, rows: i64) -> Shown {
    vec![(name(number).0.to_string(), "IPE_07".to_owned(), rows)]
}

async fn published(house: &House, number: u32) -> PublicationResult {
    let begin = || name(number);
    publish(house.publisher(&begin), month()).await
}

/// A month in which one package is sealed and publication 1 shows it.
async fn house() -> House {
    let house = House::new();
    seal(&house, 70);
    assert_eq!(published(&house, 1).await.error_message, None);
    assert_eq!(house.shown().await, shows(1, 1));
    house
}

#[tokio::test]
async fn a_publication_that_was_overtaken_loads_nothing() {
    let house = house().await;
    let begin = || name(2);
    let publisher = house.publisher(&begin);
    let old = context(&house, 2);
    let mut lease = enter(publisher, &old).await.unwrap();
    let staged = stage(publisher, &old, &registry(&["CR_04"])).await;
    let staged = staged.unwrap();
    // It gives no sign of life for so long that the next one takes its place.
    house.hands.expire();
    seal(&house, 71);
    assert_eq!(published(&house, 3).await.error_message, None);
    let error = load(publisher, &staged, &mut lease).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
    let by = format!("publication {} took the tables of 2024-04 over", name(3).0);
    assert!(error.to_string().contains(&by), "{error}");
    assert_eq!(house.shown().await, shows(3, 2));

    // The negative twin: at the newest place it loads.
    let begin = || name(4);
    let publisher = house.publisher(&begin);
    let new = context(&house, 4);
    let mut lease = enter(publisher, &new).await.unwrap();
    let staged = stage(publisher, &new, &registry(&["CR_04"])).await;
    load(publisher, &staged.unwrap(), &mut lease).await.unwrap();
    assert_ne!(house.shown().await, shows(3, 2));
}

/// The warehouse; whoever loads sleeps after its last look until another publication has loaded and was counted.
struct Overtaking<'a> {
    house: &'a House,
    /// Whether loads say where they stand; off is the mutation.
    is_fenced: bool,
}

#[async_trait]
impl Warehouse for Overtaking<'_> {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        self.house.warehouse.prepare(table, contract).await
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        let mut job = job.clone();
        if !self.is_fenced {
            job.fence = None;
        }
        self.house.hands.expire();
        seal(self.house, 71);
        let later = published(self.house, 3).await;
        assert_eq!(later.error_message, None);
        self.house.warehouse.load_telling(&job, tell).await
    }

    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<ReadBack, PortError> {
        let warehouse = &self.house.warehouse;
        warehouse.read_back(table, period, contract, rows_max).await
    }

    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
        self.house.warehouse.rows(sql, rows_max).await
    }

    fn location(&self) -> String {
        self.house.warehouse.location()
    }
}

#[tokio::test]
async fn the_month_itself_refuses_who_slept_after_the_last_look() {
    for is_fenced in [true, false] {
        let house = house().await;
        let overtaking = Overtaking {
            house: &house,
            is_fenced,
        };
        let begin = || name(2);
        let publisher = Publisher {
            warehouse: &overtaking,
            ..house.publisher(&begin)
        };
        let old = context(&house, 2);
        let mut lease = enter(publisher, &old).await.unwrap();
        let staged = stage(publisher, &old, &registry(&["IPE_07"])).await;
        let slept = load(publisher, &staged.unwrap(), &mut lease).await;
        if is_fenced {
            let error = slept.unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
            let by = format!("the month shows run {}", name(3).0);
            assert!(error.to_string().contains(&by), "{error}");
            assert!(!error.to_string().contains("may have been"), "{error}");
            assert_eq!(house.shown().await, shows(3, 2));
        } else {
            // The negative twin: without a place in the line the month goes back.
            assert_eq!(house.shown().await, shows(2, 1));
        }
    }
}

#[tokio::test]
async fn a_publication_at_work_is_waited_for_and_then_named() {
    let mut house = house().await;
    house.limits.publication_wait = Duration::from_millis(300);
    let begin = || name(2);
    let lease = enter(house.publisher(&begin), &context(&house, 2)).await;
    let refused = published(&house, 3).await;
    assert_eq!((refused.publication_id, refused.tables), (None, vec![]));
    let error = refused.error_message.unwrap();
    for said in [
        format!("publication {} has been at work", name(2).0),
        "on the tables of 2024-04 since ".to_owned(),
        " on here".to_owned(),
        "waited ".to_owned(),
        "its lease expires at ".to_owned(),
    ] {
        assert!(error.contains(&said), "`{said}` is missing: {error}");
    }
    assert_eq!(house.shown().await, shows(1, 1), "the old month stands");

    // The negative twin: one that ends meanwhile is waited for, and keeps nobody out of another month.
    house.limits.publication_wait = Duration::from_secs(60);
    let (house, begin) = (&house, || name(4));
    let other = "2024-03".parse().unwrap();
    let elsewhere = publish(house.publisher(&begin), other).await;
    assert_eq!(elsewhere.error_message, None);
    let ends = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        house.leave(lease.unwrap()).await;
    };
    let (waited, ()) = tokio::join!(published(house, 5), ends);
    assert_eq!(waited.error_message, None);
    assert_eq!(house.shown().await, shows(5, 1));
}

#[tokio::test]
async fn a_publication_that_is_asked_to_stop_waits_no_longer_and_gives_nothing_away() {
    let mut house = house().await;
    house.limits.publication_wait = Duration::from_secs(60);
    let begin = || name(2);
    let lease = enter(house.publisher(&begin), &context(&house, 2)).await;
    let lease = lease.unwrap();
    let taken = async |house: &House| {
        let stored = house.evidence.list("runs/SOXAUTO_TABLES").await.unwrap();
        let paths = stored.iter().map(|stored| stored.path.as_str());
        paths.filter(|path| path.ends_with("/lease.json")).count()
    };
    let places = taken(&house).await;
    let asked = Instant::now();
    let asks = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        house.stop.cancel();
    };
    // The first is asked while it waits, the second before it comes.
    let (waited, ()) = tokio::join!(published(&house, 3), asks);
    for stopped in [waited, published(&house, 4).await] {
        assert_eq!((stopped.publication_id, stopped.tables), (None, vec![]));
        let error = stopped.error_message.unwrap();
        for said in [
            "the publication of 2024-04 was asked to stop",
            "`soxauto reconcile --period 2024-04 --publish",
        ] {
            assert!(error.contains(said), "`{said}` is missing: {error}");
        }
    }
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(house.shown().await, shows(1, 1), "the old month stands");
    assert_eq!(taken(&house).await, places, "nobody took a place");
    lease.not_overtaken().await.unwrap();
    house.leave(lease).await;

    // The negative twin: who is not asked to stop takes the next place.
    house.stop = CancellationToken::new();
    assert_eq!(published(&house, 5).await.error_message, None);
    assert_eq!(taken(&house).await, places + 1);
    assert_eq!(house.shown().await, shows(5, 1));
}

#[tokio::test]
async fn a_publication_that_died_keeps_nobody_waiting_for_longer_than_its_lease() {
    for is_seen_gone in [true, false] {
        let mut house = house().await;
        house.limits.publication_wait = Duration::ZERO;
        let begin = || name(2);
        drop(enter(house.publisher(&begin), &context(&house, 2)).await);
        // The negative twin: it may be alive.
        assert!(published(&house, 3).await.error_message.is_some());
        if is_seen_gone {
            house.gone.lock().unwrap().insert(1);
        } else {
            house.hands.expire();
        }
        seal(&house, 71);
        assert_eq!(published(&house, 4).await.error_message, None);
        assert_eq!(house.shown().await, shows(4, 2));
        // It leaves nothing to be sealed: what is at hand is as it was published.
        assert_eq!(published(&house, 5).await.tables[0].rows, 2);
    }
}

#[tokio::test]
async fn of_two_publications_at_once_both_end_well_and_the_last_that_is_sealed_is_shown() {
    let house = house().await;
    let sealing = Sealing {
        house: &house,
        packages: Mutex::new(vec![72, 71]),
    };
    let (first, second) = (AtomicU32::new(10), AtomicU32::new(20));
    let begin_first = || name(first.fetch_add(1, Ordering::Relaxed));
    let begin_second = || name(second.fetch_add(1, Ordering::Relaxed));
    let one = Publisher {
        warehouse: &sealing,
        ..house.publisher(&begin_first)
    };
    let other = Publisher {
        begin: &begin_second,
        ..one
    };
    let (one, other) = tokio::join!(publish(one, month()), publish(other, month()));
    assert_eq!((&one.error_message, &other.error_message), (&None, &None));
    let shown = house.shown().await;
    let [(publication, _, rows)] = shown.as_slice() else {
        panic!("more than one copy: {shown:?}");
    };
    assert_eq!(*rows, 3, "all that is sealed");
    let both = [one.publication_id, other.publication_id];
    assert!(both.iter().flatten().any(|id| id.as_str() == publication));
}

#[tokio::test]
async fn a_final_month_is_published_and_its_leases_lie_where_those_of_the_runs_do() {
    let house = House::new();
    let closed = MonthEvent::Closed {
        run_id: name(9).0,
        manifest_sha256: "0".repeat(64),
        by: "A. Mwangi".to_owned(),
    };
    let at = name(9).1;
    months::append(&house.evidence, month(), closed, at, None)
        .await
        .unwrap();
    let own = store::memory();
    let leases = Leases::new(own.clone(), &house.evidence);
    let begin = || name(1);
    let publisher = Publisher {
        leases: &leases,
        ..house.publisher(&begin)
    };
    let lease = enter(publisher, &context(&house, 1)).await.unwrap();
    house.leave(lease).await;
    let paths = own.list("").await.unwrap();
    let folder = "runs/SOXAUTO_TABLES/period=2024-04/000001";
    let paths: Vec<&str> = paths.iter().map(|stored| stored.path.as_str()).collect();
    let [ended, taken] = ["ended", "lease"].map(|name| format!("{folder}/{name}.json"));
    assert_eq!(paths, [ended, taken]);

    // The negative twin: who looks elsewhere is told where they lie.
    let error = enter(house.publisher(&begin), &context(&house, 2)).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Config, "{error}");
    assert!(error.to_string().contains("--leases"), "{error}");
}

#[tokio::test]
async fn a_lease_that_names_nobody_is_an_error_and_never_the_end_of_a_line() {
    let house = House::new();
    let path = "runs/SOXAUTO_TABLES/period=2024-04/000001/lease.json";
    let nobody = br#"{"at": "2024-05-01T09:00:00Z"}"#.to_vec();
    house.evidence.create(path, nobody.into()).await.unwrap();
    let error = published(&house, 1).await.error_message.unwrap();
    assert!(error.contains("it says of nobody"), "{error}");
    assert!(error.contains("move the file away"), "{error}");
}
