//! Planned faults, back-pressure, stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Int32Array, StringArray};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use futures::TryStreamExt;
use soxauto::domain::sql_type::SqlType;
use soxauto::sandbox::server::ServerConfig;
use soxauto::sandbox::tds::fault::{
    FaultAction, FaultPoint, Faults, LoginFault, ResultFault, TokenKind, TokenPart,
};
use soxauto::sandbox::tds::fixed::FixedEngine;
use soxauto::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlError, SqlParam, SqlSession,
    TransactionRequest,
};

use super::*;

const ROWS: i32 = 5_000;

fn ledger() -> FixedEngine {
    let rows = |n| {
        batch(vec![
            Arc::new(Int32Array::from_iter_values(0..n)) as ArrayRef
        ])
    };
    let columns = || vec![column("n", "int", false)];
    FixedEngine::new()
        .on_rows("ledger", columns(), rows(ROWS))
        .on_rows("one", columns(), rows(1))
}

fn planned(at: FaultPoint, action: FaultAction) -> ServerConfig {
    let fault = ResultFault {
        rows_min: 100,
        result_set: 1,
        at,
        action,
    };
    let faults = Faults {
        results: vec![fault],
        ..Faults::default()
    };
    ServerConfig {
        faults,
        ..ServerConfig::default()
    }
}

/// Rows read, then how it ended.
async fn read(client: &mut Tiberius, sql: &str) -> (usize, Option<tiberius::error::Error>) {
    let mut rows = match client.simple_query(sql).await {
        Ok(stream) => stream.into_row_stream(),
        Err(error) => return (0, Some(error)),
    };
    let mut count = 0;
    loop {
        match rows.try_next().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, None),
            Err(error) => return (count, Some(error)),
        }
    }
}

#[tokio::test]
async fn the_connection_is_cut_in_mid_row_once() {
    // A row is the token and four bytes: byte 3003 lies inside row 601.
    let server = start_with(
        ledger(),
        planned(FaultPoint::RowBytes(3_003), FaultAction::Cut),
    )
    .await;
    let mut client = connect(&server).await;
    assert!(
        read(&mut client, "one").await.1.is_none(),
        "too short to count"
    );
    let (rows, error) = read(&mut client, "ledger").await;
    assert_eq!(rows, 600);
    assert!(
        matches!(error, Some(tiberius::error::Error::Io { .. })),
        "{error:?}"
    );
    let mut client = connect(&server).await;
    let (rows, error) = read(&mut client, "ledger").await;
    assert!(
        rows == 5_000 && error.is_none(),
        "the next try works: {error:?}"
    );
}

#[tokio::test]
async fn the_connection_is_cut_after_a_number_of_rows() {
    let server = start_with(ledger(), planned(FaultPoint::Rows(777), FaultAction::Cut)).await;
    let (rows, error) = read(&mut connect(&server).await, "ledger").await;
    assert!(rows == 777 && error.is_some());
}

#[tokio::test]
async fn every_token_kind_can_be_cut() {
    for kind in [TokenKind::Columns, TokenKind::Row, TokenKind::Done] {
        for part in [TokenPart::Before, TokenPart::Inside, TokenPart::After] {
            let at = FaultPoint::Token(kind, 1, part);
            let fault = ResultFault {
                rows_min: 0,
                result_set: 1,
                at,
                action: FaultAction::Cut,
            };
            let faults = Faults {
                results: vec![fault],
                ..Faults::default()
            };
            let config = ServerConfig {
                faults,
                ..ServerConfig::default()
            };
            let server = start_with(ledger(), config).await;
            let (rows, error) = read(&mut connect(&server).await, "ledger").await;
            // After the last DONE nothing is missing but the end of the message.
            let whole = kind == TokenKind::Done && part == TokenPart::After;
            assert!(error.is_some() || whole, "{kind:?} {part:?}: {rows} rows");
        }
    }
}

#[tokio::test]
async fn an_error_strikes_in_the_middle() {
    let message = "Transaction was deadlocked.".to_owned();
    let procedure = String::new();
    let error = SqlError {
        number: 1205,
        class: 13,
        state: 51,
        message,
        procedure,
        line: 1,
    };
    let at = FaultPoint::Rows(1_234);
    let server = start_with(ledger(), planned(at, FaultAction::Error(error))).await;
    let mut client = connect(&server).await;
    let (rows, error) = read(&mut client, "ledger").await;
    assert_eq!((rows, error.and_then(|e| e.code())), (1_234, Some(1205)));
    assert_eq!(
        read(&mut client, "ledger").await.0,
        5_000,
        "the connection lives on"
    );
}

#[tokio::test]
async fn a_stall_holds_the_rest_back() {
    let pause = Duration::from_millis(400);
    let at = FaultPoint::RowBytes(2_502);
    let server = start_with(ledger(), planned(at, FaultAction::Stall(Some(pause)))).await;
    let begin = Instant::now();
    let (rows, error) = read(&mut connect(&server).await, "ledger").await;
    assert!(
        rows == 5_000 && error.is_none() && begin.elapsed() >= pause,
        "{error:?}"
    );
}

#[tokio::test]
async fn an_endless_stall_ends_with_an_attention() {
    let server = start_with(
        ledger(),
        planned(FaultPoint::Rows(500), FaultAction::Stall(None)),
    )
    .await;
    let mut client = connect(&server).await;
    {
        let mut rows = client
            .simple_query("ledger")
            .await
            .unwrap()
            .into_row_stream();
        for _ in 0..500 {
            rows.try_next().await.unwrap().unwrap();
        }
        let next = tokio::time::timeout(Duration::from_millis(200), rows.try_next()).await;
        assert!(next.is_err(), "nothing comes");
    }
    client.cancel_query().await.unwrap();
    assert_eq!(read(&mut client, "ledger").await.0, 5_000);
}

#[tokio::test]
async fn logins_fail_as_planned_and_then_work() {
    let message = "Cannot open database.".to_owned();
    let procedure = String::new();
    let refusal = SqlError {
        number: 4060,
        class: 11,
        state: 1,
        message,
        procedure,
        line: 1,
    };
    let logins = vec![LoginFault::Refuse(refusal), LoginFault::Cut];
    let faults = Faults {
        logins,
        ..Faults::default()
    };
    let server = start_with(
        ledger(),
        ServerConfig {
            faults,
            ..ServerConfig::default()
        },
    )
    .await;
    let ado = server.ado_string(&LOGIN, soxauto::sandbox::server::Trust::Any);
    let config = || Config::from_ado_string(&ado).unwrap();
    let refused = connect_with(&server, config()).await.err().unwrap();
    assert_eq!(refused.code(), Some(4060));
    let cut = connect_with(&server, config()).await.err().unwrap();
    assert_eq!(cut.code(), None);
    assert!(connect_with(&server, config()).await.is_ok());
}

#[tokio::test]
async fn stopping_and_dropping_close_connections() {
    let server = start(ledger()).await;
    let mut client = connect(&server).await;
    let addr = server.addr();
    server.stop().await;
    assert!(read(&mut client, "ledger").await.1.is_some());
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    let server = start(ledger()).await;
    let mut client = connect(&server).await;
    drop(server);
    assert!(read(&mut client, "ledger").await.1.is_some());
}

/// Sends the same large batch for ever and counts how often it could.
struct Flood {
    sent: Arc<AtomicU64>,
    batch: RecordBatch,
}

struct FloodSession {
    sent: Arc<AtomicU64>,
    batch: RecordBatch,
}

#[async_trait]
impl SqlEngine for Flood {
    async fn login(&self, _: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        let (sent, batch) = (Arc::clone(&self.sent), self.batch.clone());
        Ok(Box::new(FloodSession { sent, batch }))
    }
}

#[async_trait]
impl SqlSession for FloodSession {
    fn database(&self) -> String {
        "NAV".to_owned()
    }

    async fn run(&mut self, _: &str, _: &[SqlParam], out: ReplySender) -> Result<(), ClientGone> {
        let columns = vec![column("text", "nvarchar(4000)", false)];
        out.send(Reply::Columns(columns))
            .await
            .map_err(|_| ClientGone)?;
        loop {
            out.send(Reply::Rows(self.batch.clone()))
                .await
                .map_err(|_| ClientGone)?;
            self.sent.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn transaction(
        &mut self,
        _: TransactionRequest,
        _: ReplySender,
    ) -> Result<(), ClientGone> {
        Ok(())
    }

    async fn describe(
        &mut self,
        _: &str,
        _: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_stops_the_engine() {
    // About 1 MB on the wire per batch; the sockets of the kernel hold a few of them.
    let text: StringArray = (0..500).map(|_| Some("x".repeat(1_000))).collect();
    let sent = Arc::new(AtomicU64::new(0));
    let engine = Flood {
        sent: Arc::clone(&sent),
        batch: batch(vec![Arc::new(text)]),
    };
    let server = start(engine).await;
    let mut client = connect(&server).await;
    let mut rows = client
        .simple_query("SELECT")
        .await
        .unwrap()
        .into_row_stream();
    rows.try_next().await.unwrap().unwrap();
    let mut before = u64::MAX;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = sent.load(Ordering::SeqCst);
        if now == before {
            break;
        }
        before = now;
    }
    let held = sent.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(sent.load(Ordering::SeqCst), held, "the engine waits");
    assert!(held <= 32, "{held} MB were taken from the engine");
    // Reading on lets it go on.
    for _ in 0..500 * (held + 4) {
        rows.try_next().await.unwrap().unwrap();
    }
    assert!(sent.load(Ordering::SeqCst) > held);
}
