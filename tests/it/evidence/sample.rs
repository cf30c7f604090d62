//! A small item with every type, its rows, its staged parts and its record.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int16Array,
    Int32Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, TimeZone, Utc};
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::domain::ids::{IpeId, RunId};
use soxauto::domain::limits::Limits;
use soxauto::domain::losses::{Changes, ColumnLosses};
use soxauto::domain::manifest::{PartFile, Staged};
use soxauto::domain::period::Period;
use soxauto::domain::run::{Program, RunContext, Stamp};
use soxauto::domain::sql_type::SqlType;
use soxauto::kernels::conform::{Conform, source_schema};
use soxauto::kernels::ledger::{ValuesFold, ledger};
use soxauto::pipeline::extract::RowFold;
use soxauto::pipeline::stage::{PartLayout, part_path, provenance, read_back, store_part};
use soxauto::ports::{LoadJob, SourceColumn, StoreRoot};

pub(crate) fn ipe() -> IpeId {
    "IPE_07".parse().unwrap()
}

pub(crate) fn period() -> Period {
    "2024-04".parse().unwrap()
}

pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 5, 1, 9, 0, 0).unwrap()
}

/// The context of the n-th run; every run has its own id.
pub(crate) fn context(n: u32) -> RunContext {
    RunContext {
        run_id: RunId::new(start(), n),
        period: period(),
        started_at: start(),
        stamps: vec![Stamp::SandboxSource],
        accepted: Vec::new(),
        program: Program {
            version: "0.1.0".into(),
            commit: "6492168".into(),
            dirty: false,
            binary_sha256: "ab".repeat(32),
        },
    }
}

pub(crate) fn contract() -> Contract {
    let column = |source: &str, name: &str, sql_type: &str, amount: bool| {
        let sql_type = sql_type.parse().unwrap();
        Column {
            source: source.into(),
            name: name.into(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: !matches!(name, "id_company" | "entry_no"),
            amount,
            personal: false,
            description: String::new(),
        }
    };
    Contract {
        version: 3,
        columns: vec![
            column("id_company", "id_company", "varchar(10)", false),
            column("Entry No_", "entry_no", "int", false),
            column("rem_amt_LCY", "rem_amt_lcy", "decimal(38,20)", true),
            column("Posting Date", "posting_date", "datetime", false),
            column("changed", "changed", "datetimeoffset(7)", false),
            column("day", "day", "date", false),
            column("at", "at", "time(6)", false),
            column("Open", "open", "bit", false),
            column("small", "small", "smallint", false),
            column("big", "big", "bigint", false),
            column("rate", "rate", "float", false),
            column("fee", "fee", "money", true),
            column("note", "note", "nvarchar(50)", false),
            column("stamp", "stamp", "rowversion", false),
        ],
        key: vec!["id_company".into(), "entry_no".into()],
        company: "id_company".into(),
    }
}

pub(crate) fn source_columns() -> Vec<SourceColumn> {
    let columns = contract().columns.into_iter().enumerate();
    let columns = columns.map(|(ordinal, column)| SourceColumn {
        ordinal,
        name: column.source,
        sql_type: column.sql_type.to_string(),
        column_type: Some(column.column_type),
        nullable: column.nullable,
        collation: None,
    });
    columns.collect()
}

/// Rows `first..first + rows` of the endless sample, as a reader delivers them.
pub(crate) fn source_batch(first: i32, rows: i32) -> RecordBatch {
    let rows: Vec<i32> = (first..first + rows).collect();
    let each = |step: i64| rows.iter().map(move |i| i64::from(*i) * step);
    let some = |i: &i32| (i % 5 != 0).then_some(*i);
    let amounts = rows
        .iter()
        .map(|i| some(i).map(|i| (i128::from(i) - 40) * 10_i128.pow(19)));
    let fees = rows.iter().map(|i| some(i).map(|i| i128::from(i) * 25));
    let notes = rows.iter().map(|i| some(i).map(|i| format!("Café n° {i}")));
    let stamps: Vec<[u8; 8]> = rows.iter().map(|i| i64::from(*i).to_be_bytes()).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|i| {
            ["EC_NG", "JM_EG", "EC_KE"][usize::try_from(i % 3).unwrap()]
        }))),
        Arc::new(Int32Array::from_iter_values(rows.iter().copied())),
        Arc::new(
            amounts
                .collect::<Decimal128Array>()
                .with_precision_and_scale(38, 20)
                .unwrap(),
        ),
        Arc::new(TimestampMicrosecondArray::from_iter_values(each(3_000_000))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(each(1)).with_timezone("UTC")),
        Arc::new(Date32Array::from_iter_values(rows.iter().copied())),
        Arc::new(Time64MicrosecondArray::from_iter_values(
            each(7).map(|t| t % 86_400_000_000),
        )),
        Arc::new(
            rows.iter()
                .map(|i| some(i).map(|i| i % 2 == 0))
                .collect::<BooleanArray>(),
        ),
        Arc::new(Int16Array::from_iter_values(
            rows.iter().map(|i| i16::try_from(i % 100).unwrap()),
        )),
        Arc::new(Int64Array::from_iter_values(each(1 << 33))),
        Arc::new(Float64Array::from_iter_values(
            rows.iter().map(|i| f64::from(*i)),
        )),
        Arc::new(
            fees.collect::<Decimal128Array>()
                .with_precision_and_scale(19, 4)
                .unwrap(),
        ),
        Arc::new(notes.collect::<StringArray>()),
        Arc::new(BinaryArray::from_iter_values(stamps)),
    ];
    let schema = Arc::new(source_schema(&source_columns()).unwrap());
    RecordBatch::try_new(schema, columns).unwrap()
}

/// Canonical batches of `rows` rows for a run, 100 rows each.
pub(crate) fn batches(context: &RunContext, rows: i32) -> (SchemaRef, Vec<RecordBatch>) {
    let metadata = context.row_metadata(&ipe());
    let conform = Conform::new(&contract(), &source_columns(), &metadata, 100).unwrap();
    let firsts = (0..rows).step_by(100);
    let batches = firsts.map(|first| {
        conform
            .conform(&source_batch(first, 100.min(rows - first)))
            .unwrap()
    });
    (conform.schema(), batches.collect())
}

/// Small parts, so that a few hundred rows make several.
pub(crate) fn limits() -> Limits {
    Limits {
        part_bytes_max: 96 << 10,
        row_group_bytes: 8 << 10,
        ..Limits::default()
    }
}

pub(crate) fn definition() -> String {
    "cd".repeat(32)
}

pub(crate) fn layout(context: &RunContext, schema: SchemaRef) -> PartLayout {
    let provenance = provenance(context, &ipe(), &contract(), &definition());
    PartLayout::new(schema, provenance, &limits())
}

/// Stages `rows` rows the way the pipeline does.
pub(crate) async fn staged(staging: &StoreRoot, context: &RunContext, rows: i32) -> Staged {
    let metadata = context.row_metadata(&ipe());
    let conform = Conform::new(&contract(), &source_columns(), &metadata, 100).unwrap();
    let layout = layout(context, conform.schema());
    let mut fold = RowFold::new(&contract(), conform, layout).unwrap();
    let mut finished = Vec::new();
    for first in (0..rows).step_by(100) {
        let batch = source_batch(first, 100.min(rows - first));
        finished.extend(fold.push(&batch).unwrap());
    }
    let folded = fold.finish().unwrap();
    finished.extend(folded.last);
    let mut parts: Vec<PartFile> = Vec::new();
    for part in finished {
        let path = part_path(&ipe(), context.period, &context.run_id, part.index);
        let stored = store_part(staging, &path, part).await.unwrap();
        read_back(staging, &stored).await.unwrap();
        parts.push(stored);
    }
    Staged {
        parts,
        digest: folded.digest,
        totals: folded.totals,
    }
}

/// The ledger of `rows` rows, of which three lost a digit and two an offset.
pub(crate) fn losses(context: &RunContext, rows: i32) -> Vec<ColumnLosses> {
    let (contract, columns) = (contract(), source_columns());
    let mut values = ValuesFold::new(&contract);
    for batch in batches(context, rows).1 {
        values.fold(&batch).unwrap();
    }
    let mut changes = vec![Changes::default(); columns.len()];
    if rows >= 3 {
        changes[4] = Changes {
            cut: 3,
            ticks: 12,
            ticks_max: 7,
            offsets: 2,
        };
    }
    let types: Vec<SqlType> = columns.iter().map(SourceColumn::parsed_type).collect();
    ledger(&contract, &types, &values.finish(), &changes).unwrap()
}

pub(crate) fn job(context: &RunContext, staged: &Staged) -> LoadJob {
    LoadJob {
        table: ipe().table_name(),
        period: context.period,
        metadata: context.row_metadata(&ipe()),
        parts: staged.parts.clone(),
        fence: None,
    }
}
