//! Bad input and broken sources: one clear error that names what, where and how to mend it; never a secret or a row.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Decimal128Array, Int32Array, StringArray};
use soxauto::adapters::mssql::MssqlSource;
use soxauto::domain::limits::Limits;
use soxauto::ports::{PortErrorKind, Secret, Source};
use soxauto::sandbox::server::{Credentials, ServerConfig, Trust};
use soxauto::sandbox::tds::fault::{FaultAction, FaultPoint, Faults, LoginFault, ResultFault};
use soxauto::sandbox::wire::{Reply, SqlError};

use super::{LOGIN, batch, collect, column, engine, limits, number, open, query, serve, text};

fn sql_error(number: u32, message: &str) -> SqlError {
    SqlError {
        number,
        class: 16,
        state: 1,
        message: message.to_owned(),
        procedure: String::new(),
        line: 3,
    }
}

#[tokio::test]
async fn a_wrong_password_is_denied_at_once_and_never_shown() {
    let server = serve(engine(1, 0), Default::default()).await;
    let login = Credentials {
        password: "Wr0ngPass",
        ..LOGIN
    };
    let secret = Secret::new(server.odbc_string(&login, Trust::Any));
    let source = MssqlSource::new(&secret, limits(), 1).unwrap();
    let error = source.open(&["NAV".to_owned()]).await.err().unwrap();
    assert_eq!(error.kind, PortErrorKind::Denied);
    let printed = format!("{error} {error:?} {source:?}");
    assert!(
        printed.contains("refused the login (error 18456"),
        "{printed}"
    );
    assert!(printed.contains("check UID and PWD"), "{printed}");
    assert!(
        printed.contains("attempts 1"),
        "a refused login is not tried again: {printed}"
    );
    assert!(!printed.contains("Wr0ngPass"), "{printed}");
}

/// Defect 19 of the predecessor: a server that was away for a moment ended the run at once.
#[tokio::test]
async fn an_unreachable_host_is_tried_again_then_named() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let secret = Secret::new(format!(
        "DRIVER={{x}};SERVER=tcp:127.0.0.1,{port};UID=u;PWD=p"
    ));
    let source = MssqlSource::new(&secret, limits(), 1).unwrap();
    let error = source.open(&["NAV".to_owned()]).await.err().unwrap();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    let printed = error.to_string();
    assert!(
        printed.contains(&format!("server 127.0.0.1:{port}")) && printed.contains("attempts 2"),
        "{printed}"
    );
    assert!(printed.contains("firewall"), "{printed}");
}

/// Defect 19 of the predecessor: errors were wrapped before the retry saw them, so that nothing was ever tried again.
#[tokio::test]
async fn opening_goes_on_after_a_transient_refusal() {
    let faults = Faults {
        logins: vec![LoginFault::Refuse(sql_error(40613, "not now"))],
        ..Default::default()
    };
    let server = serve(
        engine(1, 0),
        ServerConfig {
            faults,
            ..Default::default()
        },
    )
    .await;
    assert!(open(&server).await.is_ok());
}

#[tokio::test]
async fn an_untrusted_certificate_is_denied_and_a_named_one_is_accepted() {
    let server = serve(engine(1, 0), Default::default()).await;
    let strict = server.odbc_string(&LOGIN, Trust::Verified);
    let source = MssqlSource::new(&Secret::new(strict.clone()), limits(), 1).unwrap();
    let error = source.open(&["NAV".to_owned()]).await.err().unwrap();
    assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
    assert!(
        error.to_string().contains("ServerCertificate=<file.pem>"),
        "{error}"
    );
    let dir = tempfile::tempdir().unwrap();
    let pem = dir.path().join("server.pem");
    std::fs::write(&pem, server.certificate_pem()).unwrap();
    let named = format!("{strict}ServerCertificate={};", pem.display());
    let source = MssqlSource::new(&Secret::new(named), limits(), 1).unwrap();
    assert!(source.open(&["NAV".to_owned()]).await.is_ok());
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let server = serve(
        engine(1, 0).on_rows(
            &super::SETTINGS.replace("NAV", "GONE"),
            vec![column("name", "sysname")],
            batch(vec![Arc::new(StringArray::from(Vec::<&str>::new()))]),
        ),
        Default::default(),
    )
    .await;
    let error = super::source(&server)
        .open(&["GONE".to_owned()])
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.to_string().contains("database [GONE]"), "{error}");
}

#[tokio::test]
async fn a_wrong_statement_keeps_its_words_and_values_are_masked() {
    let engine = engine(1, 0)
        .on(
            "SELECT wrong",
            vec![Reply::Error(sql_error(
                208,
                "Invalid object name 'dbo.Missing'.",
            ))],
        )
        .on(
            "SELECT value",
            vec![Reply::Error(sql_error(
                245,
                "Conversion failed when converting 'SENTINEL' to int.",
            ))],
        );
    let server = serve(engine, Default::default()).await;
    let error = open(&server)
        .await
        .unwrap()
        .rows(&query("SELECT wrong"), 1)
        .await
        .unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Query);
    assert!(
        error
            .to_string()
            .contains("SQL Server error 208: Invalid object name 'dbo.Missing'."),
        "{error}"
    );
    assert!(error.to_string().contains("line 3"), "{error}");
    let error = open(&server)
        .await
        .unwrap()
        .rows(&query("SELECT value"), 1)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("error 245") && !format!("{error:?}").contains("SENTINEL"),
        "{error}"
    );
}

fn many_rows(
    count: i32,
) -> (
    Vec<soxauto::sandbox::wire::ColumnMeta>,
    arrow::array::RecordBatch,
) {
    (
        vec![column("n", "int")],
        batch(vec![Arc::new(Int32Array::from_iter_values(0..count))]),
    )
}

async fn read_with(faults: Faults, limits: &Limits) -> (u64, soxauto::ports::PortError) {
    let (columns, rows) = many_rows(50_000);
    let engine = engine(1, 0).on_rows("SELECT many", columns, rows);
    let server = serve(
        engine,
        ServerConfig {
            faults,
            ..Default::default()
        },
    )
    .await;
    let mut view = open(&server).await.unwrap();
    let columns = view.describe(&query("SELECT many")).await.unwrap().columns;
    let stream = view
        .stream(&query("SELECT many"), &columns, limits)
        .await
        .unwrap();
    let failed = collect(stream).await.unwrap_err();
    let spent = view.rows(&query("SELECT many"), 1).await.unwrap_err();
    assert_eq!(
        spent.kind,
        PortErrorKind::Unreachable,
        "after an error the view is spent"
    );
    assert!(
        spent.message.ends_with(&failed.1.message),
        "{spent} says the first cause: {}",
        failed.1
    );
    failed
}

fn fault(at: FaultPoint, action: FaultAction) -> Faults {
    Faults {
        results: vec![ResultFault {
            rows_min: 10_000,
            result_set: 1,
            at,
            action,
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn an_error_after_many_rows_is_the_last_item() {
    let action = FaultAction::Error(sql_error(8134, "Divide by zero error encountered."));
    let (rows, error) = read_with(fault(FaultPoint::Rows(30_000), action), &limits()).await;
    assert_eq!(rows, 24_576, "whole batches before the error are delivered");
    assert_eq!(error.kind, PortErrorKind::Query);
    assert!(
        error.to_string().contains("error 8134") && error.to_string().contains("after_rows 30000"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cut_in_mid_row_is_unreachable_with_the_rows_so_far() {
    let (_, error) = read_with(
        fault(FaultPoint::RowBytes(150_003), FaultAction::Cut),
        &limits(),
    )
    .await;
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(!error.is_retryable, "reading is never retried");
    assert!(
        error.to_string().contains("after_rows") && error.to_string().contains("run again"),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_server_meets_the_limit_between_rows() {
    let limits = Limits {
        row_gap_timeout: Duration::from_millis(300),
        ..limits()
    };
    let (_, error) = read_with(
        fault(FaultPoint::Rows(20_000), FaultAction::Stall(None)),
        &limits,
    )
    .await;
    assert_eq!(error.kind, PortErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn an_unsupported_type_names_column_and_cast_before_any_row() {
    let engine = engine(1, 0).on_rows(
        "SELECT x",
        vec![column("Payload", "xml")],
        batch(vec![text("<a/>")]),
    );
    let server = serve(engine, Default::default()).await;
    let mut view = open(&server).await.unwrap();
    let columns = view.describe(&query("SELECT x")).await.unwrap().columns;
    let error = view
        .stream(&query("SELECT x"), &columns, &limits())
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, PortErrorKind::Unsupported);
    assert!(
        error
            .to_string()
            .contains("CAST([Payload] AS nvarchar(max))"),
        "{error}"
    );
}

#[tokio::test]
async fn money_beyond_what_the_driver_can_hold_is_refused_by_row_and_column() {
    let values = Decimal128Array::from(vec![1, i128::from(i64::MAX)])
        .with_precision_and_scale(19, 4)
        .unwrap();
    let engine = engine(1, 0).on_rows(
        "SELECT m",
        vec![column("Amount", "money")],
        batch(vec![Arc::new(values)]),
    );
    let server = serve(engine, Default::default()).await;
    let mut view = open(&server).await.unwrap();
    let columns = view.describe(&query("SELECT m")).await.unwrap().columns;
    let stream = view
        .stream(&query("SELECT m"), &columns, &limits())
        .await
        .unwrap();
    let (_, error) = collect(stream).await.unwrap_err();
    let printed = error.to_string();
    assert!(
        printed.contains("[Amount], row 2") && printed.contains("decimal(19,4)"),
        "{printed}"
    );
    assert!(
        !printed.contains("922337203685477"),
        "the value stays out of the error: {printed}"
    );
}

#[tokio::test]
async fn a_second_result_set_and_other_columns_than_described_are_refused() {
    let two = vec![
        Reply::Columns(vec![column("a", "int")]),
        Reply::Rows(batch(vec![number(1)])),
        Reply::StatementDone { rows: Some(1) },
        Reply::Columns(vec![column("b", "int")]),
        Reply::Rows(batch(vec![number(2)])),
        Reply::StatementDone { rows: Some(1) },
    ];
    let engine = engine(1, 0).on("SELECT two", two).on_rows(
        "SELECT a",
        vec![column("a", "int")],
        batch(vec![number(1)]),
    );
    let server = serve(engine, Default::default()).await;
    let mut view = open(&server).await.unwrap();
    let columns = view.describe(&query("SELECT a")).await.unwrap().columns;
    let stream = view
        .stream(&query("SELECT two"), &columns, &limits())
        .await
        .unwrap();
    let (_, error) = collect(stream).await.unwrap_err();
    assert!(
        error.to_string().contains("more than one result set"),
        "{error}"
    );
    let mut other = columns.clone();
    other[0].name = "z".to_owned();
    let mut view = open(&server).await.unwrap();
    let stream = view
        .stream(&query("SELECT a"), &other, &limits())
        .await
        .unwrap();
    let (_, error) = collect(stream).await.unwrap_err();
    assert!(error.to_string().contains("arrives as [a]"), "{error}");
}

#[tokio::test]
async fn more_rows_than_a_small_answer_may_have_is_a_limit() {
    let (columns, rows) = many_rows(11);
    let server = serve(
        engine(1, 0).on_rows("SELECT few", columns, rows),
        Default::default(),
    )
    .await;
    let error = open(&server)
        .await
        .unwrap()
        .rows(&query("SELECT few"), 10)
        .await
        .unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
}
