//! The engine through its seam: what clients ask, what they get, what is refused.

mod catalog_items;
mod collections;
mod digest;
mod hard_rows;
mod language;
mod orders;
mod system;
mod voucher_items;
mod window;

use std::sync::{Arc, OnceLock};

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tokio::sync::mpsc;

use super::{EngineConfig, LedgerEngine};
use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::cell::{Cell, single};
use crate::sandbox::wire::{
    ColumnMeta, LoginRequest, Reply, SqlEngine, SqlError, SqlParam, SqlSession,
};

const ROWS: u64 = 500;

fn engine() -> LedgerEngine {
    static ENGINE: OnceLock<LedgerEngine> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            LedgerEngine::new(EngineConfig {
                rows: ROWS,
                ..EngineConfig::default()
            })
            .unwrap()
        })
        .clone()
}

async fn open(engine: &LedgerEngine) -> Box<dyn SqlSession> {
    let request = LoginRequest {
        user: "sox_reader".into(),
        password: "sandbox".into(),
        database: "AIG_Nav_DW".into(),
        app_name: "tests".into(),
    };
    engine.login(&request).await.unwrap()
}

/// Everything that one request answered.
#[derive(Debug, Default)]
struct Answer {
    results: Vec<(Vec<ColumnMeta>, Vec<RecordBatch>)>,
    counts: Vec<Option<u64>>,
    error: Option<SqlError>,
    others: Vec<String>,
}

impl Answer {
    fn rows(&self) -> usize {
        self.results
            .iter()
            .flat_map(|(_, batches)| batches)
            .map(RecordBatch::num_rows)
            .sum()
    }

    /// The first result as text, cells by `|`.
    fn text(&self) -> Vec<String> {
        assert!(self.error.is_none(), "{:?}", self.error);
        let mut lines = Vec::new();
        for batch in &self.results.first().expect("a result").1 {
            let options = FormatOptions::default().with_null("NULL");
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                lines.push(
                    columns
                        .iter()
                        .map(|c| c.value(row).to_string())
                        .collect::<Vec<_>>()
                        .join("|"),
                );
            }
        }
        lines
    }

    fn types(&self) -> Vec<String> {
        assert!(self.error.is_none(), "{:?}", self.error);
        self.results
            .first()
            .expect("a result")
            .0
            .iter()
            .map(describe)
            .collect()
    }
}

fn describe(meta: &ColumnMeta) -> String {
    format!(
        "{} {}{}",
        meta.name,
        meta.sql_type,
        if meta.nullable { "" } else { " not null" }
    )
}

async fn run_with(session: &mut Box<dyn SqlSession>, sql: &str, params: &[SqlParam]) -> Answer {
    let (out, mut replies) = mpsc::channel(2);
    let collect = async {
        let mut answer = Answer::default();
        while let Some(reply) = replies.recv().await {
            match reply {
                Reply::Columns(metas) => answer.results.push((metas, Vec::new())),
                Reply::Rows(batch) => answer.results.last_mut().unwrap().1.push(batch),
                Reply::StatementDone { rows } => answer.counts.push(rows),
                Reply::Error(error) => answer.error = Some(error),
                other => answer.others.push(format!("{other:?}")),
            }
        }
        answer
    };
    let (done, answer) = tokio::join!(session.run(sql, params, out), collect);
    done.unwrap();
    answer
}

async fn run(session: &mut Box<dyn SqlSession>, sql: &str) -> Answer {
    run_with(session, sql, &[]).await
}

/// Runs in a fresh session.
async fn ask(sql: &str) -> Answer {
    run(&mut open(&engine()).await, sql).await
}

fn date(name: &str, text: &str) -> SqlParam {
    param(
        name,
        "date",
        Cell::Date(crate::sandbox::tsql::value::parse_date_time(text).unwrap() / 86_400_000_000),
    )
}

fn param(name: &str, ty: &str, cell: Cell<'static>) -> SqlParam {
    let sql_type: SqlType = ty.parse().unwrap();
    SqlParam {
        name: name.into(),
        value: Arc::clone(&single(&cell, &sql_type).unwrap()),
        sql_type,
    }
}
