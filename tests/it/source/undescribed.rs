//! Servers that cannot describe: the types of the contract stand, every column is compared with what arrives, and the
//! view that was refused is still the same moment of the source.

use std::sync::Arc;

use arrow::array::{AsArray, Decimal128Array, Int16Array, StringArray};
use soxauto::catalog::Catalog;
use soxauto::domain::check::Verdict;
use soxauto::domain::contract::ColumnType;
use soxauto::domain::ipe::Ipe;
use soxauto::domain::query::{BoundParam, BoundQuery, ParamValue};
use soxauto::domain::run::ItemStatus;
use soxauto::domain::sql_type::SqlType;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::package::write::folder_of_run;
use soxauto::ports::{Cell, Described, PortErrorKind, Snapshot, SourceColumn};
use soxauto::sandbox::engine::{EngineConfig, LedgerEngine};
use soxauto::sandbox::server::{Server, Trust};
use soxauto::sandbox::tds::fault::Faults;
use soxauto::sandbox::tds::fixed::FixedEngine;

use super::refusing::Refusing;
use super::{LOGIN, STANDING, batch, collect, column, engine, limits, number, open, query, serve};
use crate::evidence::world::{assert_valid, verify_with};
use crate::rig::Rig;
use crate::small_ledger;

const ABSENT: u32 = 2812;

/// Says how many transactions are open, and whether they can go on.
fn standing(engine: FixedEngine, transactions: i32, state: i16) -> FixedEngine {
    let columns = vec![column("transactions", "int"), column("state", "smallint")];
    let state = Int16Array::from(vec![state]);
    engine.on_rows(
        STANDING,
        columns,
        batch(vec![number(transactions), Arc::new(state)]),
    )
}

fn one(engine: FixedEngine) -> FixedEngine {
    engine.on_rows(
        "SELECT one",
        vec![column("n", "int")],
        batch(vec![number(1)]),
    )
}

async fn still_answers(view: &mut Box<dyn Snapshot>) {
    let table = view.rows(&query("SELECT one"), 1).await.unwrap();
    assert_eq!(table.rows, [[Cell::Int(1)]]);
}

#[tokio::test]
async fn a_refusal_to_describe_leaves_the_view_as_it_was() {
    for (state, asked) in [(1, 1), (0, 0)] {
        let engine = one(standing(engine(state, 0), 1, 1));
        let requests = engine.requests();
        let server = serve_refusing(engine, ABSENT).await;
        let mut view = open(&server).await.unwrap();
        let error = view.describe(&query("SELECT one")).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unsupported);
        assert!(error.message.contains("SQL Server error 2812"), "{error}");
        still_answers(&mut view).await;
        view.close().await.unwrap();
        let requests = requests.lock().unwrap();
        let standing = requests.iter().filter(|request| request.sql == STANDING);
        assert_eq!(standing.count(), asked, "once where there is a transaction");
    }
}

/// Answers after it would be of another moment.
#[tokio::test]
async fn a_transaction_that_a_refusal_ended_ends_the_view() {
    for (transactions, state) in [(0, 0), (1, -1)] {
        let engine = one(standing(engine(1, 0), transactions, state));
        let server = serve_refusing(engine, ABSENT).await;
        let mut view = open(&server).await.unwrap();
        let error = view.describe(&query("SELECT one")).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Query, "{error}");
        let said = "the SNAPSHOT transaction did not survive";
        assert!(error.message.contains(said), "{error}");
        let spent = view.rows(&query("SELECT one"), 1).await.unwrap_err();
        assert_eq!(spent.kind, PortErrorKind::Unreachable);
        assert!(spent.message.contains(said), "{spent}");
    }
}

#[tokio::test]
async fn another_error_of_describe_ends_the_view_and_stays_its_cause() {
    let server = serve_refusing(one(standing(engine(1, 0), 1, 1)), 208).await;
    let mut view = open(&server).await.unwrap();
    let error = view.describe(&query("SELECT one")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Query);
    for _ in 0..2 {
        let spent = view.describe(&query("SELECT one")).await.unwrap_err();
        assert_eq!(spent.kind, PortErrorKind::Unreachable);
        assert_eq!(
            spent.message,
            format!(
                "the view of the source has ended after an earlier error: {}",
                error.message
            )
        );
    }
}

#[tokio::test]
async fn a_text_with_parameters_is_described_with_declarations_in_front() {
    let columns = || vec![column("n", "decimal(38,20)")];
    let none = || batch(vec![number(1)]);
    let declared = "DECLARE @P1 date, @P2 int;\nSELECT @P1, @P2";
    let engine = standing(engine(1, 0), 1, 1).on_rows(declared, columns(), none());
    let server = serve(
        Refusing {
            inner: engine,
            error: 11526,
            only_parameters: true,
        },
        Default::default(),
    )
    .await;
    let param = |sql_type: &str, value| BoundParam {
        name: "x".into(),
        sql_type: sql_type.into(),
        value,
    };
    let date = ParamValue::Date("2024-05-01".parse().unwrap());
    let asked = BoundQuery {
        text: "SELECT @P1, @P2".into(),
        params: vec![param("date", date), param("int", ParamValue::Int(1))],
    };
    let described = open(&server).await.unwrap().describe(&asked).await.unwrap();
    assert_eq!(
        (described.by.as_str(), described.columns.len()),
        ("server", 1)
    );
    assert_eq!(described.columns[0].sql_type, "decimal(38,20)");
}

async fn serve_refusing(engine: FixedEngine, error: u32) -> Server {
    serve(Refusing::all(engine, error), Default::default()).await
}

/// A text column as a contract declares it, or as the server describes it.
fn text_column(sql_type: &str, collation: Option<&str>) -> SourceColumn {
    SourceColumn {
        ordinal: 0,
        name: "t".into(),
        sql_type: sql_type.into(),
        column_type: Some(ColumnType::Text),
        nullable: true,
        collation: collation.map(str::to_owned),
    }
}

/// The driver takes the bytes of a UTF-8 collation for Windows-1252 without a word.
#[tokio::test]
async fn without_a_description_a_code_page_is_not_guessed() {
    let texts = |values: [&str; 2]| batch(vec![Arc::new(StringArray::from(values.to_vec()))]);
    let french = Some("French_CI_AS");
    let cases = [
        ("varchar(9)", "varchar(9)", None, ["plain", "text"], true),
        ("varchar(9)", "varchar(9)", None, ["plain", "Café"], false),
        ("varchar(9)", "nvarchar(9)", None, ["plain", "Café"], false),
        ("varchar(9)", "varchar(9)", french, ["plain", "Café"], true),
        ("nvarchar(9)", "varchar(9)", None, ["plain", "Café"], true),
    ];
    for (arrives, declared, collation, values, fine) in cases {
        let engine = engine(1, 0).on_rows("SELECT t", vec![column("t", arrives)], texts(values));
        let server = serve(engine, Default::default()).await;
        let mut view = open(&server).await.unwrap();
        let columns = [text_column(declared, collation)];
        let stream = view.stream(&query("SELECT t"), &columns, &limits()).await;
        match collect(stream.unwrap()).await {
            Ok(batches) => {
                assert!(fine, "{arrives} {declared} {values:?}");
                let read = batches[0].column(0).as_string::<i32>();
                assert!(read.iter().flatten().eq(values));
            }
            Err((_, error)) => {
                assert!(!fine, "{arrives} {declared}: {error}");
                let said = error.to_string();
                assert!(
                    said.contains("column [t], row 2: a character beyond ASCII"),
                    "{said}"
                );
                assert!(said.contains("CAST([t] AS nvarchar(n))"), "{said}");
                assert!(!said.contains("Caf"), "{said}");
            }
        }
    }
}

/// The driver announces no scale: each value has its own.
#[tokio::test]
async fn a_decimal_of_another_scale_than_declared_is_refused_by_row() {
    for (declared, fine) in [("decimal(38,20)", true), ("decimal(38,18)", false)] {
        let values = Decimal128Array::from(vec![None, Some(1)]);
        let values = values.with_precision_and_scale(38, 20).unwrap();
        let engine = engine(1, 0).on_rows(
            "SELECT d",
            vec![column("t", "decimal(38,20)")],
            batch(vec![Arc::new(values)]),
        );
        let server = serve(engine, Default::default()).await;
        let sql_type: SqlType = declared.parse().unwrap();
        let columns = [SourceColumn {
            column_type: ColumnType::of(&sql_type),
            ..text_column(declared, None)
        }];
        let mut view = open(&server).await.unwrap();
        let stream = view.stream(&query("SELECT d"), &columns, &limits()).await;
        let read = collect(stream.unwrap()).await;
        assert_eq!(read.is_ok(), fine, "{declared}");
        if let Err((_, error)) = read {
            let said = "column [t], row 2: scale 20 where 18 was described";
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

/// Runs an item against the small ledger of a server that cannot describe.
async fn run(snapshot: bool, ipe: &Ipe) -> (ItemOutcome, Rig, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path(), small_ledger::limits());
    let ledger = standing(small_ledger::answers(snapshot, &ipe.contract), 1, 1);
    let server = Refusing::all(ledger, ABSENT);
    let (_server, odbc) = small_ledger::start(server, Faults::default()).await;
    let outcome = rig.run(&odbc, ipe).await;
    (outcome, rig, dir)
}

fn columns_verdict(outcome: &ItemOutcome) -> Verdict {
    let mut checks = outcome.record.checks.iter();
    checks
        .find(|check| check.id == "contract.columns")
        .unwrap()
        .verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_the_types_of_the_contract_and_the_evidence_says_so() {
    for snapshot in [true, false] {
        let ipe = small_ledger::item();
        let (outcome, rig, _dir) = run(snapshot, &ipe).await;
        assert_eq!(outcome.record.status, ItemStatus::Success, "{outcome:#?}");
        assert_eq!(columns_verdict(&outcome), Verdict::Pass);
        assert_eq!(
            rig.month(&ipe).as_deref(),
            Some(outcome.record.context.run_id.as_str())
        );
        let package = rig.evidence.below(&folder_of_run(&outcome.record));
        assert_valid(&verify_with(&package, Some(&rig.staging), None).await);
        let schema = package.get("data/schema.json").await.unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&schema).unwrap();
        let described: Described = serde_json::from_value(schema["described"].clone()).unwrap();
        assert_eq!(described.by, "contract");
        assert_eq!(described.columns.len(), ipe.contract.columns.len());
    }
}

/// Nothing of such a run is loaded, and the comparison of the columns was never made: it is no pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_contradicts_what_arrives_is_refused_by_column() {
    type Alter = fn(&mut Ipe);
    fn of_type(ipe: &mut Ipe, name: &str, sql_type: &str) {
        let mut columns = ipe.contract.columns.iter_mut();
        let column = columns.find(|column| column.name == name).unwrap();
        column.sql_type = sql_type.parse().unwrap();
        column.column_type = ColumnType::of(&column.sql_type).unwrap();
    }
    let cases: [(Alter, &str); 5] = [
        (|ipe| of_type(ipe, "note", "varbinary(max)"), "[note]"),
        (|ipe| of_type(ipe, "entry_no", "bigint"), "[entry_no]"),
        (|ipe| of_type(ipe, "rate", "decimal(9,4)"), "[rate]"),
        (|ipe| ipe.contract.columns.swap(13, 14), "arrives as [note]"),
        (
            |ipe| ipe.contract.columns.truncate(15),
            "16 columns arrive where 15 were described",
        ),
    ];
    for (alter, said) in cases {
        let mut ipe = small_ledger::item();
        alter(&mut ipe);
        let (outcome, rig, _dir) = run(true, &ipe).await;
        let error = outcome.record.error.clone().unwrap_or_default();
        assert_eq!(outcome.record.status, ItemStatus::Error, "{said}");
        assert!(
            error.contains(said) && error.contains("step rows"),
            "{error}"
        );
        assert_eq!(columns_verdict(&outcome), Verdict::NotRun, "{said}");
        assert_eq!(rig.month(&ipe), None, "{said}");
    }
}

/// The generated ledger, its population and all questions about it.
#[tokio::test(flavor = "multi_thread")]
async fn an_item_with_a_population_passes_too() {
    let config = EngineConfig {
        rows: 500,
        login: LOGIN.user.into(),
        password: LOGIN.password.into(),
        ..EngineConfig::default()
    };
    let ledger = Refusing::all(LedgerEngine::new(config).unwrap(), ABSENT);
    let server = serve(ledger, Default::default()).await;
    let login = soxauto::sandbox::server::Credentials {
        database: "AIG_Nav_DW",
        ..LOGIN
    };
    let catalog = Catalog::embedded().unwrap();
    let item = catalog.select(&["IPE_07".to_owned()]).unwrap()[0];
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path(), small_ledger::limits());
    let outcome = rig.run(&server.odbc_string(&login, Trust::Any), item).await;
    let record = &outcome.record;
    assert_eq!(
        record.status,
        ItemStatus::Success,
        "{:?} {:#?}",
        record.error,
        record.checks
    );
    assert_eq!(record.described.as_ref().unwrap().by, "contract");
    let population = record.population.as_ref().unwrap();
    assert_eq!(population.predicates.len(), 4);
    let purposes = record.executed.iter().map(|asked| asked.purpose.as_str());
    assert!(
        purposes
            .into_iter()
            .any(|purpose| purpose == "population, columns")
    );
}
