//! The local warehouse: one copy, all or nothing, wherever a load is cut off.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use soxauto::adapters::local_warehouse::{LocalWarehouse, Step, Watch};
use soxauto::adapters::store;
use soxauto::domain::contract::ColumnType;
use soxauto::domain::run::RunContext;
use soxauto::ports::{Cell, PortError, PortErrorKind, StoreRoot, Warehouse};

use crate::evidence::sample::{batches, context, contract, ipe, job, period, staged};

pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) staging: StoreRoot,
    pub(crate) warehouse: LocalWarehouse,
}

pub(crate) async fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
    let staging = open("staging");
    let warehouse = LocalWarehouse::new(&open("warehouse"), staging.clone()).unwrap();
    warehouse
        .prepare(&ipe().table_name(), &contract())
        .await
        .unwrap();
    House {
        dir,
        staging,
        warehouse,
    }
}

/// Rows of the month as SQL sees them, by run.
pub(crate) async fn runs(warehouse: &LocalWarehouse) -> Vec<(String, i64)> {
    let sql = format!(
        "SELECT _run_id, COUNT(*) AS n FROM {} WHERE _period = DATE '2024-04-01' GROUP BY _run_id",
        ipe().table_name()
    );
    let table = warehouse.rows(&sql, 10).await.unwrap();
    let rows = table.rows.iter().map(|row| match row.as_slice() {
        [Cell::Text(run), Cell::Int(n)] => (run.clone(), *n),
        other => panic!("{other:?}"),
    });
    rows.collect()
}

pub(crate) fn run_of(context: &RunContext, rows: i64) -> Vec<(String, i64)> {
    vec![(context.run_id.to_string(), rows)]
}

#[tokio::test]
async fn the_same_job_again_gives_one_copy_and_another_run_replaces_it() {
    let house = house().await;
    let warehouse = &house.warehouse;
    assert_eq!(runs(warehouse).await, vec![]);
    let first = context(1);
    let parts = staged(&house.staging, &first, 1_500).await;
    assert!(parts.parts.len() > 1, "{} parts", parts.parts.len());
    let receipt = warehouse.load(&job(&first, &parts)).await.unwrap();
    assert_eq!(receipt.output_rows, 1_500);
    assert_eq!(receipt.output_bytes, parts.bytes());
    assert_eq!(
        receipt.destination_table,
        "pg01_validated_ipe_ipe_07$202404"
    );
    assert_eq!(warehouse.load(&job(&first, &parts)).await.unwrap(), receipt);
    assert_eq!(runs(warehouse).await, run_of(&first, 1_500));

    let second = context(2);
    let fewer = staged(&house.staging, &second, 200).await;
    let other = warehouse.load(&job(&second, &fewer)).await.unwrap();
    assert_ne!(other.job_id, receipt.job_id);
    assert_eq!(runs(warehouse).await, run_of(&second, 200));
    let old = house
        .dir
        .path()
        .join("warehouse/pg01_validated_ipe_ipe_07/period=2024-04")
        .join(first.run_id.as_str());
    assert_eq!(
        std::fs::read_dir(old).unwrap().count(),
        parts.parts.len(),
        "history is kept"
    );
}

/// Ends the load at its n-th step.
fn cut_at(n: usize) -> (Watch, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let watch = move |_: &Step| {
        if counter.fetch_add(1, Ordering::SeqCst) == n {
            return Err(PortError::new(PortErrorKind::Unreachable, "killed"));
        }
        Ok(())
    };
    (Arc::new(watch), seen)
}

#[tokio::test]
async fn a_load_cut_off_anywhere_leaves_a_whole_month_and_can_be_completed() {
    let mut n = 0;
    loop {
        let house = house().await;
        let (old, new) = (context(1), context(2));
        let before = staged(&house.staging, &old, 300).await;
        house.warehouse.load(&job(&old, &before)).await.unwrap();
        let after = staged(&house.staging, &new, 1_500).await;
        let (watch, seen) = cut_at(n);
        let (mut told, job_of_new) = (None, job(&new, &after));
        let mut tell = |submitted| told = submitted;
        let result = house
            .warehouse
            .load_watched(&job_of_new, watch, &mut tell)
            .await;
        if result.is_ok() {
            assert!(n > 2 * after.parts.len() && seen.load(Ordering::SeqCst) == n);
            break;
        }
        let shown = runs(&house.warehouse).await;
        let whole = shown == run_of(&old, 300) || shown == run_of(&new, 1_500);
        assert!(whole, "step {n}: {shown:?}");
        let is_new = shown == run_of(&new, 1_500);
        assert_eq!(told.is_some(), is_new, "step {n}: {told:?}");
        let receipt = house.warehouse.load(&job(&new, &after)).await.unwrap();
        assert_eq!(receipt.output_rows, 1_500, "step {n}");
        assert_eq!(
            runs(&house.warehouse).await,
            run_of(&new, 1_500),
            "step {n}"
        );
        n += 1;
    }
}

#[tokio::test]
async fn half_written_leftovers_of_the_same_run_are_replaced() {
    let house = house().await;
    let run = context(1);
    let parts = staged(&house.staging, &run, 1_500).await;
    let folder = house
        .dir
        .path()
        .join("warehouse/pg01_validated_ipe_ipe_07/period=2024-04")
        .join(run.run_id.as_str());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("part-00000.parquet"), "half").unwrap();
    std::fs::write(folder.join("part-00001.tmp"), "half").unwrap();
    std::fs::write(folder.join("part-00099.parquet"), "foreign").unwrap();
    house.warehouse.load(&job(&run, &parts)).await.unwrap();
    assert_eq!(runs(&house.warehouse).await, run_of(&run, 1_500));
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_staged_part_is_refused_and_the_old_month_stands() {
    let house = house().await;
    let (old, new) = (context(1), context(2));
    let before = staged(&house.staging, &old, 300).await;
    house.warehouse.load(&job(&old, &before)).await.unwrap();
    let after = staged(&house.staging, &new, 1_500).await;
    damage(&house.dir.path().join("staging").join(&after.parts[1].path));
    let error = house.warehouse.load(&job(&new, &after)).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.to_string().contains(&after.parts[1].uri), "{error}");
    assert_eq!(runs(&house.warehouse).await, run_of(&old, 300));
}

#[tokio::test]
async fn a_contradicting_contract_is_refused_by_the_name_of_the_column() {
    let house = house().await;
    let table = ipe().table_name();
    house.warehouse.prepare(&table, &contract()).await.unwrap();
    let mut other = contract();
    other.columns[2].column_type = ColumnType::Decimal {
        precision: 19,
        scale: 4,
    };
    let error = house.warehouse.prepare(&table, &other).await.unwrap_err();
    assert!(error.to_string().contains("`rem_amt_lcy`"), "{error}");
    let mut longer = contract();
    longer.columns.push(contract().columns[1].clone());
    longer.columns.last_mut().unwrap().name = "later".into();
    let error = house.warehouse.prepare(&table, &longer).await.unwrap_err();
    assert!(error.to_string().contains("`later`"), "{error}");
}

#[tokio::test]
async fn sql_answers_exactly_and_refuses_what_is_not_exact() {
    let house = house().await;
    let run = context(1);
    let parts = staged(&house.staging, &run, 1_500).await;
    house.warehouse.load(&job(&run, &parts)).await.unwrap();
    let table = ipe().table_name();
    let ask = async |sql: String, rows_max| house.warehouse.rows(&sql, rows_max).await;
    let totals = ask(
        format!(
            "SELECT id_company, COUNT(*) AS n, SUM(rem_amt_lcy) AS s, SUM(fee) AS f FROM {table} GROUP BY id_company ORDER BY id_company"
        ),
        10,
    );
    let totals = totals.await.unwrap();
    assert_eq!(totals.rows.len(), 3);
    for row in &totals.rows {
        let Cell::Text(company) = &row[0] else {
            panic!("{row:?}")
        };
        let expected = &parts.totals.groups[company];
        assert_eq!(row[1], Cell::Int(i64::try_from(expected.rows).unwrap()));
        assert_eq!(row[2], Cell::Decimal(expected.sums[0]));
        assert_eq!(row[3], Cell::Decimal(expected.sums[1]));
    }
    let one = ask(format!("SELECT posting_date, day, at, open, note, _period, stamp FROM {table} WHERE entry_no = 7"), 5).await.unwrap();
    assert_eq!(
        one.rows[0][1].clone(),
        Cell::Date("1970-01-08".parse().unwrap())
    );
    assert_eq!(one.rows[0][4], Cell::Text("Café n° 7".into()));
    assert_eq!(one.rows[0][6], Cell::Bytes(vec![0, 0, 0, 0, 0, 0, 0, 7]));
    let all = ask(format!("SELECT entry_no FROM {table}"), 1_500)
        .await
        .unwrap();
    assert_eq!(all.rows.len(), 1_500);
}

#[tokio::test]
async fn sql_refuses_what_is_not_exact_and_shows_no_value() {
    let house = house().await;
    let run = context(1);
    let parts = staged(&house.staging, &run, 1_500).await;
    house.warehouse.load(&job(&run, &parts)).await.unwrap();
    let table = ipe().table_name();
    for (sql, rows_max, kind) in [
        (
            format!("SELECT entry_no FROM {table}"),
            1_499,
            PortErrorKind::Limit,
        ),
        (
            format!("SELECT rate FROM {table} LIMIT 1"),
            10,
            PortErrorKind::Unsupported,
        ),
        (
            "SELECT 1 FROM elsewhere".to_owned(),
            10,
            PortErrorKind::Query,
        ),
        (
            "SELECT 1 FROM \"../x\"".to_owned(),
            10,
            PortErrorKind::Query,
        ),
        ("SELEKT".to_owned(), 10, PortErrorKind::Query),
        (
            format!("SELECT nothing FROM {table}"),
            10,
            PortErrorKind::Query,
        ),
        (
            format!("SELECT CAST(note AS BIGINT) FROM {table}"),
            2_000,
            PortErrorKind::Query,
        ),
    ] {
        let error = house.warehouse.rows(&sql, rows_max).await.unwrap_err();
        assert_eq!(error.kind, kind, "{sql}: {error}");
        assert!(
            !error.to_string().contains("Café"),
            "a row value in: {error}"
        );
    }
}

#[tokio::test]
async fn an_item_without_rows_empties_its_month() {
    let house = house().await;
    let (old, new) = (context(1), context(2));
    let before = staged(&house.staging, &old, 300).await;
    house.warehouse.load(&job(&old, &before)).await.unwrap();
    let none = staged(&house.staging, &new, 0).await;
    let receipt = house.warehouse.load(&job(&new, &none)).await.unwrap();
    assert_eq!((receipt.output_rows, receipt.source_uris.len()), (0, 1));
    assert_eq!(runs(&house.warehouse).await, vec![]);
    assert_eq!(
        house
            .warehouse
            .current(&ipe().table_name(), period())
            .unwrap()
            .unwrap()
            .run_id,
        new.run_id
    );
}

#[tokio::test]
async fn one_run_cannot_load_two_different_sets_of_files() {
    let house = house().await;
    let run = context(1);
    let parts = staged(&house.staging, &run, 1_500).await;
    house.warehouse.load(&job(&run, &parts)).await.unwrap();
    let mut fewer = job(&run, &parts);
    fewer.parts.pop();
    let error = house.warehouse.load(&fewer).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    let distinct: BTreeSet<_> = batches(&run, 10)
        .1
        .iter()
        .map(|b| b.num_columns())
        .collect();
    assert_eq!(distinct.len(), 1);
}
