//! The TDS server of the sandbox, seen from real clients; fixed results, no SQL engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "in a test a panic is the answer; clippy knows only #[test] functions as tests"
)]

mod batches;
mod clients;
mod faults;
mod raw;
mod requests;
mod rows;
mod types;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use soxauto::sandbox::server::{Credentials, Server, ServerConfig, TlsMode, Trust};
use soxauto::sandbox::wire::{ColumnMeta, SqlEngine};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tiberius = Client<Compat<TcpStream>>;

const LOGIN: Credentials<'static> = Credentials {
    user: "sox",
    password: "p\"a}s;s",
    database: "NAV",
};

async fn start(engine: impl SqlEngine) -> Server {
    start_with(engine, ServerConfig::default()).await
}

async fn start_with(engine: impl SqlEngine, config: ServerConfig) -> Server {
    Server::start(config, Arc::new(engine)).await.unwrap()
}

fn tls(tls: TlsMode) -> ServerConfig {
    ServerConfig {
        tls,
        ..ServerConfig::default()
    }
}

async fn connect(server: &Server) -> Tiberius {
    let config = Config::from_ado_string(&server.ado_string(&LOGIN, Trust::Any)).unwrap();
    connect_with(server, config).await.unwrap()
}

async fn connect_with(server: &Server, config: Config) -> tiberius::Result<Tiberius> {
    let socket = TcpStream::connect(server.addr()).await.unwrap();
    socket.set_nodelay(true).unwrap();
    Client::connect(config, socket.compat_write()).await
}

fn column(name: &str, sql_type: &str, nullable: bool) -> ColumnMeta {
    ColumnMeta {
        name: name.to_owned(),
        sql_type: sql_type.parse().unwrap(),
        nullable,
    }
}

fn batch(arrays: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = arrays
        .iter()
        .enumerate()
        .map(|(at, array)| Field::new(format!("c{at}"), array.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}
