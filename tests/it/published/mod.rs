//! Published tables: staged, loaded and counted as the month of an item is, and nothing that was changed on the way is
//! taken.

mod line;
mod meddled;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::contract::Contract;
use soxauto::domain::ids::RunId;
use soxauto::domain::limits::Limits;
use soxauto::domain::manifest::LoadReceipt;
use soxauto::domain::period::Period;
use soxauto::domain::run::{ItemStatus, Program, RunContext};
use soxauto::pipeline::lease::{Lease, Leases};
use soxauto::pipeline::publication::{PublicationResult, Publisher, enter, load, publish, stage};
use soxauto::ports::{
    Cell, Clock, LoadJob, PortError, PortErrorKind, Processes, ReadBack, SmallTable, StoreRoot,
    Tell, Warehouse,
};
use soxauto::report::published::{MonthTable, RunRow, TABLES, runs};
use tokio_util::sync::CancellationToken;

use crate::chaos::world::{Hands, Machine};

struct House {
    dir: tempfile::TempDir,
    staging: StoreRoot,
    evidence: StoreRoot,
    leases: Leases,
    warehouse: LocalWarehouse,
    program: Program,
    limits: Limits,
    hands: Hands,
    clock: Arc<dyn Clock>,
    /// Processes that are seen to be gone.
    gone: Arc<Mutex<BTreeSet<u32>>>,
    processes: Arc<dyn Processes>,
    stop: CancellationToken,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let staging = open("staging");
        let warehouse = LocalWarehouse::new(&open("warehouse"), staging.clone()).unwrap();
        let evidence = open("evidence");
        let (hands, gone) = (Hands::now(), Arc::<Mutex<BTreeSet<u32>>>::default());
        let machine = Machine {
            own: 1,
            gone: Arc::clone(&gone),
        };
        Self {
            leases: Leases::within(&evidence),
            evidence,
            dir,
            staging,
            warehouse,
            program: Program {
                version: "0.0.0".to_owned(),
                commit: String::new(),
                dirty: false,
                binary_sha256: String::new(),
            },
            limits: Limits::default(),
            clock: Arc::new(hands.clone()),
            hands,
            gone,
            processes: Arc::new(machine),
            stop: CancellationToken::new(),
        }
    }

    fn publisher<'a>(
        &'a self,
        begin: &'a (dyn Fn() -> (RunId, DateTime<Utc>) + Sync),
    ) -> Publisher<'a> {
        Publisher {
            evidence: &self.evidence,
            leases: &self.leases,
            staging: &self.staging,
            warehouse: &self.warehouse,
            program: &self.program,
            limits: &self.limits,
            clock: &self.clock,
            processes: &self.processes,
            host: "here",
            stop: &self.stop,
            begin,
        }
    }

    /// The publication gives its place back.
    async fn leave(&self, lease: Lease) {
        lease.end(&self.clock, ItemStatus::Success).await.unwrap();
    }

    /// The one file that a publication staged of its table.
    fn part(&self, context: &RunContext, table: &MonthTable) -> std::path::PathBuf {
        let folder = format!(
            "staging/soxauto-tables/{}/period=2024-04/run={}",
            table.name, context.run_id
        );
        self.dir.path().join(folder).join("part-00000.parquet")
    }

    /// Publication, item and rows of the month as SQL sees them.
    async fn shown(&self) -> Vec<(String, String, i64)> {
        let sql = "SELECT _run_id, item, COUNT(*) AS n FROM soxauto_runs GROUP BY _run_id, item ORDER BY item";
        let table = self.warehouse.rows(sql, 100).await.unwrap();
        let rows = table.rows.iter().map(|row| match row.as_slice() {
            [Cell::Text(run), Cell::Text(item), Cell::Int(n)] => (run.clone(), item.clone(), *n),
            other => panic!("{other:?}"),
        });
        rows.collect()
    }
}

fn name(number: u32) -> (RunId, DateTime<Utc>) {
    let at = "2024-05-03T09:00:00.123456Z".parse().unwrap();
    (RunId::new(at, number), at)
}

fn month() -> Period {
    "2024-04".parse().unwrap()
}

fn context(house: &House, number: u32) -> RunContext {
    let (run_id, started_at) = name(number);
    RunContext {
        run_id,
        period: month(),
        started_at,
        stamps: Vec::new(),
        accepted: Vec::new(),
        program: house.program.clone(),
    }
}

fn registry(items: &[&str]) -> MonthTable {
    let rows = items.iter().map(|item| RunRow {
        started_at: Some(name(0).1),
        rows: Some(7),
        ..RunRow::unread(
            *item,
            (name(0).0, month()),
            format!("file:///evidence/{item}"),
            "quotes ', \" and a line\nbreak".to_owned(),
        )
    });
    runs(&rows.collect::<Vec<_>>())
}

#[tokio::test]
async fn two_publications_give_one_copy_and_the_same_again_changes_nothing() {
    let house = House::new();
    let begin = || name(1);
    let publisher = house.publisher(&begin);
    let first = context(&house, 1);
    let table = registry(&["CR_04", "IPE_07"]);
    let mut lease = enter(publisher, &first).await.unwrap();
    let staged = stage(publisher, &first, &table).await.unwrap();
    let loaded = load(publisher, &staged, &mut lease).await.unwrap();
    assert_eq!(loaded.destination_table, "soxauto_runs$202404");
    assert_eq!(loaded.rows, 2);
    let again = load(publisher, &staged, &mut lease).await.unwrap();
    assert_eq!(again, loaded);
    house.leave(lease).await;
    let run = first.run_id.to_string();
    let one = |item: &str| (run.clone(), item.to_owned(), 1);
    assert_eq!(house.shown().await, [one("CR_04"), one("IPE_07")]);

    let second = context(&house, 2);
    let mut lease = enter(publisher, &second).await.unwrap();
    let staged = stage(publisher, &second, &registry(&["IPE_07"]))
        .await
        .unwrap();
    let loaded = load(publisher, &staged, &mut lease).await.unwrap();
    assert_eq!(loaded.rows, 1);
    let run = second.run_id.to_string();
    assert_eq!(house.shown().await, [(run, "IPE_07".to_owned(), 1)]);
}

#[tokio::test]
async fn a_part_that_was_changed_is_refused_and_the_old_month_stands() {
    let house = House::new();
    let begin = || name(1);
    let publisher = house.publisher(&begin);
    let (old, new) = (context(&house, 1), context(&house, 2));
    let table = registry(&["IPE_07"]);
    let mut lease = enter(publisher, &old).await.unwrap();
    let staged = stage(publisher, &old, &table).await.unwrap();
    load(publisher, &staged, &mut lease).await.unwrap();
    house.leave(lease).await;
    let before = house.shown().await;

    let mut lease = enter(publisher, &new).await.unwrap();
    let staged = stage(publisher, &new, &table).await.unwrap();
    let part = house.part(&new, &table);
    let whole = fs::read(&part).unwrap();
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    fs::write(&part, &bent).unwrap();
    let error = load(publisher, &staged, &mut lease).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt, "{error}");
    assert!(error.message.contains("SHA-256"), "{error}");
    assert_eq!(house.shown().await, before);

    // The negative twin: as it was staged it is taken.
    fs::write(&part, &whole).unwrap();
    load(publisher, &staged, &mut lease).await.unwrap();
    assert_ne!(house.shown().await, before);
}

#[tokio::test]
async fn a_null_where_a_value_must_be_is_not_staged() {
    let house = House::new();
    let begin = || name(1);
    let mut table = registry(&["IPE_07"]);
    table.rows[0][0] = Cell::Null;
    let error = stage(house.publisher(&begin), &context(&house, 1), &table).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.message.contains("`item`"), "{error}");
}

#[tokio::test]
async fn a_month_of_which_nothing_is_sealed_has_an_empty_registry_and_no_validations() {
    let house = House::new();
    let begin = || name(3);
    let result = publish(house.publisher(&begin), month()).await;
    assert_eq!(result.error_message, None);
    assert_eq!(result.publication_id, Some(name(3).0));
    let [registry] = result.tables.as_slice() else {
        panic!("{result:?}");
    };
    let [_, name] = TABLES;
    assert_eq!(registry.destination_table, format!("{name}$202404"));
    assert_eq!(registry.rows, 0);
}

/// Seals a package that nobody can read: the registry has a row of it that says so.
fn seal(house: &House, number: u32) {
    let run = name(number).0;
    let folder = format!("evidence/IPE_07/period=2024-04/run={run}");
    let folder = house.dir.path().join(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest-sha256.txt"), "").unwrap();
}

/// The warehouse; before each of its first loads a package is sealed.
struct Sealing<'a> {
    house: &'a House,
    /// Packages still to be sealed, the last one first.
    packages: Mutex<Vec<u32>>,
}

#[async_trait]
impl Warehouse for Sealing<'_> {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        let next = self.packages.lock().unwrap().pop();
        if let Some(number) = next {
            seal(self.house, number);
        }
        self.house.warehouse.prepare(table, contract).await
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        self.house.warehouse.load_telling(job, tell).await
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

/// Publishes while these packages are sealed, one a load; gives what came of it, and how many rounds it took.
async fn published_while(house: &House, packages: &[u32]) -> (PublicationResult, u32) {
    let rounds = AtomicU32::new(0);
    let begin = || name(rounds.fetch_add(1, Ordering::Relaxed));
    let sealing = Sealing {
        house,
        packages: Mutex::new(packages.to_vec()),
    };
    let publisher = Publisher {
        warehouse: &sealing,
        ..house.publisher(&begin)
    };
    let result = publish(publisher, month()).await;
    (result, rounds.load(Ordering::Relaxed))
}

#[tokio::test]
async fn what_is_sealed_while_a_month_is_published_is_published_with_it() {
    let house = House::new();
    let (result, rounds) = published_while(&house, &[77]).await;
    assert_eq!(result.error_message, None);
    assert_eq!(rounds, 2);
    let last = name(1).0;
    assert_eq!(result.publication_id, Some(last.clone()));
    assert_eq!(result.tables.len(), 1);
    assert_eq!(result.tables[0].rows, 1);
    assert_eq!(
        house.shown().await,
        [(last.to_string(), "IPE_07".to_owned(), 1)]
    );
}

#[tokio::test]
async fn a_month_that_is_sealed_all_the_while_is_said_to_lack_the_last() {
    let house = House::new();
    let (result, rounds) = published_while(&house, &[72, 71, 70]).await;
    let error = result.error_message.unwrap();
    assert!(
        error.contains("packages of 2024-04 were sealed all the while"),
        "{error}"
    );
    assert!(error.contains("publish again when"), "{error}");
    assert_eq!(rounds, 3);
    // What is shown is whole, but for what came last.
    assert_eq!(result.tables[0].rows, 2);
}
