//! The ledger row that the benches share, and a replay server that sends it as fast as it is read.
//!
//! 8,192 different rows, sent over and over.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first error"
)]

mod ledger;

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use chrono::TimeZone;
use futures::TryStreamExt;
use soxauto::adapters::mssql::MssqlSource;
use soxauto::domain::ids::{IpeId, RunId};
use soxauto::domain::limits::Limits;
use soxauto::domain::query::BoundQuery;
use soxauto::domain::run::{Program, RunContext};
use soxauto::kernels::conform::Conform;
use soxauto::pipeline::extract::{Destination, RowFold};
use soxauto::pipeline::stage::{PartLayout, provenance};
use soxauto::ports::{BatchStream, Secret, Snapshot, Source, StoreRoot};
use soxauto::sandbox::server::{Server, ServerConfig, TlsMode};
use soxauto::sandbox::tds::fixed::FixedEngine;
use soxauto::sandbox::tds::replay::ReplayEngine;
use soxauto::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, ReplySender, SqlEngine, SqlError, SqlParam, SqlSession,
    TransactionRequest,
};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, QueryItem};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_util::compat::TokioAsyncWriteCompatExt;

use ledger::COLUMNS;
pub(crate) use ledger::contract;

pub(crate) const BATCH_ROWS: usize = 8_192;

pub(crate) fn column_metas() -> Vec<ColumnMeta> {
    let meta = |&(name, sql_type, _): &(&str, &str, bool)| ColumnMeta {
        name: name.to_owned(),
        sql_type: sql_type.parse().unwrap(),
        nullable: true,
    };
    COLUMNS.iter().map(meta).collect()
}

pub(crate) fn context() -> RunContext {
    let started_at = chrono::Utc.with_ymd_and_hms(2024, 5, 1, 9, 0, 0).unwrap();
    RunContext {
        run_id: RunId::new(started_at, 1),
        period: "2024-04".parse().unwrap(),
        started_at,
        stamps: Vec::new(),
        accepted: Vec::new(),
        program: Program {
            version: "bench".into(),
            commit: "bench".into(),
            dirty: false,
            binary_sha256: String::new(),
        },
    }
}

/// One batch as the server sends it: the ledger rows of four companies, with `tinyint` as it is there.
pub(crate) fn server_batch() -> RecordBatch {
    let batches = ledger::batches(4, BATCH_ROWS / 4, false, false);
    let staged = concat_batches(&batches[0].schema(), &batches).unwrap();
    let arrays = COLUMNS.iter().zip(staged.columns());
    let arrays = arrays.map(|(&(name, sql_type, _), array)| match sql_type {
        "tinyint" => (name, cast(array, &DataType::UInt8).unwrap(), true),
        _ => (name, Arc::clone(array), true),
    });
    RecordBatch::try_from_iter_with_nullable(arrays).unwrap()
}

/// Replays rows, and answers the one question that opening a view asks.
struct Replay {
    rows: ReplayEngine,
    questions: FixedEngine,
}

struct ReplaySession {
    rows: Box<dyn SqlSession>,
    questions: Box<dyn SqlSession>,
}

#[async_trait]
impl SqlEngine for Replay {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        let (rows, questions) = (
            self.rows.login(request).await?,
            self.questions.login(request).await?,
        );
        Ok(Box::new(ReplaySession { rows, questions }))
    }
}

#[async_trait]
impl SqlSession for ReplaySession {
    fn database(&self) -> String {
        self.rows.database()
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let asks_rows = sql.starts_with("SELECT rows") || sql.starts_with("EXEC");
        if asks_rows {
            self.rows.run(sql, params, out).await
        } else {
            self.questions.run(sql, params, out).await
        }
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        self.rows.transaction(request, out).await
    }

    async fn describe(
        &mut self,
        sql: &str,
        params: &[(String, soxauto::domain::sql_type::SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        self.rows.describe(sql, params).await
    }
}

/// A replay server on a thread of its own.
pub(crate) struct ReplayServer {
    pub(crate) server: Server,
    _runtime: Runtime,
}

pub(crate) fn replay_server(rows: u64) -> ReplayServer {
    let identity_columns = ["server", "version", "login"].map(|name| ColumnMeta {
        name: name.to_owned(),
        sql_type: "nvarchar(128)".parse().unwrap(),
        nullable: true,
    });
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["replay"])) };
    let identity =
        RecordBatch::try_from_iter([("a", text()), ("b", text()), ("c", text())]).unwrap();
    let questions = FixedEngine::new().on_rows(
        "SELECT @@SERVERNAME AS server, @@VERSION AS version, SUSER_SNAME() AS login",
        identity_columns.to_vec(),
        identity,
    );
    let rows = ReplayEngine::new(column_metas(), &server_batch(), rows).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let config = ServerConfig {
        tls: TlsMode::Optional,
        ..ServerConfig::default()
    };
    let server = runtime
        .block_on(Server::start(config, Arc::new(Replay { rows, questions })))
        .unwrap();
    ReplayServer {
        server,
        _runtime: runtime,
    }
}

/// The statement that asks for the rows.
pub(crate) fn rows_query() -> BoundQuery {
    BoundQuery {
        text: "SELECT rows".to_owned(),
        params: Vec::new(),
    }
}

/// The adapter; only the login is encrypted, so that decoding is what is measured.
pub(crate) fn source(server: &Server) -> MssqlSource {
    let addr = server.addr();
    let text = format!(
        "DRIVER={{x}};SERVER=tcp:{},{};UID=u;PWD=p;Encrypt=no;TrustServerCertificate=yes;",
        addr.ip(),
        addr.port()
    );
    MssqlSource::new(&Secret::new(text), Limits::default(), 1).unwrap()
}

/// The driver alone: every row is decoded and dropped.
pub(crate) async fn raw_tiberius(port: u16) -> u64 {
    let mut config = Config::new();
    config.authentication(AuthMethod::sql_server("u", "p"));
    config.encryption(EncryptionLevel::NotSupported);
    config.packet_size(16_383);
    config.command_timeout(None);
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut client = Client::connect(config, tcp.compat_write()).await.unwrap();
    let mut stream = client.query("SELECT rows", &[]).await.unwrap();
    let mut rows = 0;
    while let Some(item) = stream.try_next().await.unwrap() {
        if let QueryItem::Row(row) = item {
            rows += u64::from(std::hint::black_box(row).len() == 15);
        }
    }
    rows
}

/// The open view, its rows on their way, what folds them and where they go.
pub(crate) async fn open_journey(
    server: &Server,
    staging: StoreRoot,
) -> (Box<dyn Snapshot>, BatchStream, RowFold, Destination) {
    let (contract, context, limits) = (contract(), context(), Limits::default());
    let ipe: IpeId = "IPE_07".parse().unwrap();
    let mut view = source(server).open(&[]).await.unwrap();
    let query = rows_query();
    let columns = view.describe(&query).await.unwrap().columns;
    let metadata = context.row_metadata(&ipe);
    let conform = Conform::new(&contract, &columns, &metadata, limits.batch_rows_max).unwrap();
    let footer = provenance(&context, &ipe, &contract, "");
    let layout = PartLayout::new(conform.schema(), footer, &limits);
    let fold = RowFold::new(&contract, conform, layout).unwrap();
    let stream = view.stream(&query, &columns, &limits).await.unwrap();
    let to = Destination {
        staging,
        ipe,
        period: context.period,
        run_id: context.run_id,
    };
    (view, stream, fold, to)
}
