//! Published tables: staged, loaded and counted as the month of an item is, and nothing that was changed on the way is
//! taken.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::ids::RunId;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::{Program, RunContext};
use soxauto::pipeline::publication::{Publisher, load, publish, stage};
use soxauto::ports::{Cell, PortErrorKind, StoreRoot, Warehouse as _};
use soxauto::report::published::{MonthTable, RunRow, TABLES, runs};

struct House {
    dir: tempfile::TempDir,
    staging: StoreRoot,
    evidence: StoreRoot,
    warehouse: LocalWarehouse,
    program: Program,
    limits: Limits,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let staging = open("staging");
        let warehouse = LocalWarehouse::new(&open("warehouse"), staging.clone()).unwrap();
        Self {
            evidence: open("evidence"),
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
        }
    }

    fn publisher<'a>(
        &'a self,
        begin: &'a (dyn Fn() -> (RunId, DateTime<Utc>) + Sync),
    ) -> Publisher<'a> {
        Publisher {
            evidence: &self.evidence,
            staging: &self.staging,
            warehouse: &self.warehouse,
            program: &self.program,
            limits: &self.limits,
            begin,
        }
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

fn context(house: &House, number: u32) -> RunContext {
    let (run_id, started_at) = name(number);
    RunContext {
        run_id,
        period: "2024-04".parse().unwrap(),
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
            (name(0).0, "2024-04".parse().unwrap()),
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
    let staged = stage(publisher, &first, &table).await.unwrap();
    let loaded = load(publisher, &staged).await.unwrap();
    assert_eq!(loaded.destination_table, "soxauto_runs$202404");
    assert_eq!(loaded.rows, 2);
    assert_eq!(load(publisher, &staged).await.unwrap(), loaded);
    let run = first.run_id.to_string();
    let one = |item: &str| (run.clone(), item.to_owned(), 1);
    assert_eq!(house.shown().await, [one("CR_04"), one("IPE_07")]);

    let second = context(&house, 2);
    let staged = stage(publisher, &second, &registry(&["IPE_07"]))
        .await
        .unwrap();
    assert_eq!(load(publisher, &staged).await.unwrap().rows, 1);
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
    let staged = stage(publisher, &old, &table).await.unwrap();
    load(publisher, &staged).await.unwrap();
    let before = house.shown().await;

    let staged = stage(publisher, &new, &table).await.unwrap();
    let part = house.part(&new, &table);
    let whole = fs::read(&part).unwrap();
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    fs::write(&part, &bent).unwrap();
    let error = load(publisher, &staged).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt, "{error}");
    assert!(error.message.contains("SHA-256"), "{error}");
    assert_eq!(house.shown().await, before);

    // The negative twin: as it was staged it is taken.
    fs::write(&part, &whole).unwrap();
    load(publisher, &staged).await.unwrap();
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
    let result = publish(house.publisher(&begin), "2024-04".parse().unwrap()).await;
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

#[tokio::test]
async fn what_is_sealed_while_a_month_is_published_is_published_with_it() {
    let house = House::new();
    let rounds = AtomicU32::new(0);
    // Names are given once what is sealed has been read: the first one comes too late for its round.
    let begin = || {
        let round = rounds.fetch_add(1, Ordering::Relaxed);
        if round == 0 {
            seal(&house, 77);
        }
        name(round)
    };
    let result = publish(house.publisher(&begin), "2024-04".parse().unwrap()).await;
    assert_eq!(result.error_message, None);
    assert_eq!(rounds.load(Ordering::Relaxed), 2);
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
    let rounds = AtomicU32::new(0);
    let begin = || {
        let round = rounds.fetch_add(1, Ordering::Relaxed);
        seal(&house, 70 + round);
        name(round)
    };
    let result = publish(house.publisher(&begin), "2024-04".parse().unwrap()).await;
    let error = result.error_message.unwrap();
    assert!(
        error.contains("packages of 2024-04 were sealed all the while"),
        "{error}"
    );
    assert!(error.contains("publish again when"), "{error}");
    assert_eq!(rounds.load(Ordering::Relaxed), 3);
    // What is shown is whole, but for what came last.
    assert_eq!(result.tables[0].rows, 2);
}
