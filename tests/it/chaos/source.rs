//! A source with fixed rows that answers at once: run n reads n % 4 + 1 rows, each a batch, whose amounts name the run.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray};
use async_trait::async_trait;
use soxauto::domain::amount::Amount;
use soxauto::domain::contract::Column;
use soxauto::domain::ipe::Ipe;
use soxauto::domain::limits::Limits;
use soxauto::domain::losses::Changes;
use soxauto::domain::query::BoundQuery;
use soxauto::kernels::conform::source_schema;
use soxauto::ports::{
    AccessEvidence, BatchStream, Cell, Consistency, DatabaseAccess, Described, Estimate, PortError,
    PortErrorKind, SmallTable, Snapshot, Source, SourceColumn, Sources,
};
use tokio::sync::{mpsc, oneshot};

use crate::support::{contract_column, ledger_item};

const COLUMNS: [(&str, &str); 3] = [
    ("company", "varchar(10)"),
    ("entry_no", "int"),
    ("amount", "decimal(38,2)"),
];

pub(crate) fn rows_of(run: u32) -> u32 {
    run % 4 + 1
}

pub(crate) fn item() -> Ipe {
    let columns = COLUMNS.map(|(name, sql_type)| Column {
        nullable: false,
        amount: name == "amount",
        ..contract_column(name, sql_type)
    });
    ledger_item(columns.into())
}

fn columns() -> Vec<SourceColumn> {
    let columns = item().contract.columns.into_iter().enumerate();
    let columns = columns.map(|(ordinal, column)| SourceColumn {
        ordinal,
        name: column.source,
        sql_type: column.sql_type.to_string(),
        column_type: Some(column.column_type),
        nullable: false,
        collation: None,
    });
    columns.collect()
}

/// The source as run n finds it.
#[derive(Clone)]
pub(crate) struct Fixed(pub(crate) u32);

#[async_trait]
impl Sources for Fixed {
    async fn source(&self, _secret: &str) -> Result<Arc<dyn Source>, PortError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Source for Fixed {
    async fn open(&self, _databases: &[String]) -> Result<Box<dyn Snapshot>, PortError> {
        let access = AccessEvidence {
            server: "fixed".into(),
            server_version: "1".into(),
            login: "reader".into(),
            isolation_level: "snapshot".into(),
            databases: vec![DatabaseAccess {
                name: "NAV".into(),
                snapshot_allowed: true,
                collation: "Latin1_General_CI_AS".into(),
                write_rights: Some(vec![]),
            }],
        };
        Ok(Box::new(View(self.0, access)))
    }

    async fn estimate(&self, _query: &BoundQuery) -> Result<Estimate, PortError> {
        Err(PortError::new(PortErrorKind::Unsupported, "no plan"))
    }
}

struct View(u32, AccessEvidence);

#[async_trait]
impl Snapshot for View {
    fn consistency(&self) -> Consistency {
        Consistency::Snapshot
    }

    fn access(&self) -> &AccessEvidence {
        &self.1
    }

    async fn describe(&mut self, _query: &BoundQuery) -> Result<Described, PortError> {
        Ok(Described {
            columns: columns(),
            by: "server".into(),
        })
    }

    async fn rows(&mut self, _query: &BoundQuery, _max: usize) -> Result<SmallTable, PortError> {
        let (run, rows) = (i128::from(self.0), rows_of(self.0));
        let sum = Amount::new(run * i128::from(rows), 2).unwrap();
        let row = vec![
            Cell::Text("EC_NG".into()),
            Cell::Int(rows.into()),
            Cell::Decimal(sum),
        ];
        Ok(SmallTable {
            columns: ["company", "rows", "sum_0"].map(str::to_owned).into(),
            rows: vec![row],
        })
    }

    async fn stream(
        &mut self,
        _query: &BoundQuery,
        _columns: &[SourceColumn],
        _limits: &Limits,
    ) -> Result<BatchStream, PortError> {
        let schema = Arc::new(source_schema(&columns()).unwrap());
        let rows = rows_of(self.0);
        let (sender, batches) = mpsc::channel(usize::try_from(rows).unwrap());
        for row in 0..i32::try_from(rows).unwrap() {
            let amounts = Decimal128Array::from_iter_values([i128::from(self.0)]);
            let arrays: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter_values(["EC_NG"])),
                Arc::new(Int32Array::from_iter_values([row])),
                Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
            ];
            let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
            sender.send(Ok(batch)).await.unwrap();
        }
        let (said, changes) = oneshot::channel();
        said.send(vec![Changes::default(); COLUMNS.len()]).unwrap();
        Ok(BatchStream { batches, changes })
    }

    async fn close(self: Box<Self>) -> Result<(), PortError> {
        Ok(())
    }
}
