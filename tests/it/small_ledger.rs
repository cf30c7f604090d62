//! A small ledger with a column of every type on fixed answers, and the item that reads it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array,
    Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    Time64NanosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Decimal128Type;
use soxauto::domain::contract::Column;
use soxauto::domain::contract::Contract;
use soxauto::domain::ipe::Ipe;
use soxauto::domain::limits::Limits;
use soxauto::domain::query::BoundQuery;
use soxauto::kernels::sql::totals_query;
use soxauto::sandbox::server::{Server, ServerConfig, TlsMode, Trust};
use soxauto::sandbox::tds::fault::Faults;
use soxauto::sandbox::tds::fixed::FixedEngine;
use soxauto::sandbox::wire::{ColumnMeta, Reply, SqlEngine, SqlError};

use crate::source::{LOGIN, batch, column, engine};
use crate::support::{contract_column, ledger_item};

/// Rows of the ledger: more than one packet of them.
pub(crate) const ROWS: i32 = 48;
const COMPANIES: [&str; 3] = ["EC_NG", "JM_EG", "EC_KE"];
const COLUMNS: [(&str, &str); 16] = [
    ("company", "varchar(10)"),
    ("entry_no", "int"),
    ("amount", "decimal(38,20)"),
    ("fee", "money"),
    ("posted", "datetime"),
    ("changed", "datetime2(6)"),
    ("rounded", "smalldatetime"),
    ("day", "date"),
    ("at", "time(7)"),
    ("open", "bit"),
    ("small", "smallint"),
    ("big", "bigint"),
    ("rate", "float"),
    ("note", "nvarchar(max)"),
    ("memo", "nvarchar(50)"),
    ("bytes", "varbinary(20)"),
];

pub(crate) fn item() -> Ipe {
    let columns = COLUMNS.map(|(name, sql_type)| Column {
        nullable: !matches!(name, "company" | "entry_no"),
        amount: matches!(name, "amount" | "fee"),
        ..contract_column(name, sql_type)
    });
    ledger_item(columns.into())
}

pub(crate) fn query() -> BoundQuery {
    item().query.bind("2024-04".parse().unwrap()).unwrap()
}

/// Some with nulls, so that both kinds of rows are sent.
fn rows() -> RecordBatch {
    fn each<T>(value: impl Fn(i64) -> T) -> impl Iterator<Item = Option<T>> {
        (0..i64::from(ROWS)).map(move |i| (i % 4 != 3).then(|| value(i)))
    }
    let short = |i| i32::try_from(i).unwrap();
    let minute = 60_000_000;
    let decimal = |values: Vec<Option<i128>>, precision, scale| {
        let values = Decimal128Array::from(values);
        values.with_precision_and_scale(precision, scale).unwrap()
    };
    let companies = (0..ROWS).map(|i| COMPANIES[usize::try_from(i % 3).unwrap()]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(companies)),
        Arc::new(Int32Array::from_iter_values(0..ROWS)),
        Arc::new(decimal(
            each(|i| i128::from(i * i - 700) * 10_i128.pow(18)).collect(),
            38,
            20,
        )),
        Arc::new(decimal(each(|i| i128::from(i * 7)).collect(), 19, 4)),
        Arc::new(each(|i| i * 3_000_000).collect::<TimestampMicrosecondArray>()),
        Arc::new(each(|i| i * 7 - 1_000).collect::<TimestampMicrosecondArray>()),
        Arc::new(each(|i| i * minute).collect::<TimestampMicrosecondArray>()),
        Arc::new(each(short).collect::<Date32Array>()),
        Arc::new(each(|i| i * 7_000).collect::<Time64NanosecondArray>()),
        Arc::new(each(|i| i % 2 == 0).collect::<BooleanArray>()),
        Arc::new(each(|i| i16::try_from(i).unwrap()).collect::<Int16Array>()),
        Arc::new(each(|i| i << 33).collect::<Int64Array>()),
        Arc::new(each(|i| f64::from(short(i))).collect::<Float64Array>()),
        Arc::new(each(|i| format!("Café n° {i} ").repeat(20)).collect::<StringArray>()),
        Arc::new(each(|i| format!("memo {i}")).collect::<StringArray>()),
        Arc::new(each(|i| i.to_be_bytes()).collect::<BinaryArray>()),
    ];
    batch(columns)
}

/// The answer to the question for totals, computed from the rows.
fn totals() -> (Vec<ColumnMeta>, RecordBatch) {
    let rows = rows();
    let mut groups: BTreeMap<&str, (i64, [i128; 2])> = BTreeMap::new();
    for (at, company) in rows.column(0).as_string::<i32>().iter().enumerate() {
        let (count, sums) = groups.entry(company.unwrap()).or_default();
        *count += 1;
        for (sum, column) in sums.iter_mut().zip([2, 3]) {
            let amounts = rows.column(column).as_primitive::<Decimal128Type>();
            *sum += if amounts.is_null(at) {
                0
            } else {
                amounts.value(at)
            };
        }
    }
    let sum = |which: usize, scale| {
        let sums = groups.values().map(|(_, sums)| sums[which]);
        let sums = Decimal128Array::from_iter_values(sums);
        Arc::new(sums.with_precision_and_scale(38, scale).unwrap())
    };
    let columns = [
        ("company", "varchar(10)"),
        ("rows", "bigint"),
        ("sum_0", "decimal(38,20)"),
        ("sum_1", "decimal(38,4)"),
    ];
    let answer: Vec<ArrayRef> = vec![
        Arc::new(groups.keys().map(|key| Some(*key)).collect::<StringArray>()),
        Arc::new(groups.values().map(|g| Some(g.0)).collect::<Int64Array>()),
        sum(0, 20),
        sum(1, 4),
    ];
    let columns = columns.map(|(name, sql_type)| column(name, sql_type));
    (columns.into(), batch(answer))
}

/// A server of this ledger, with the connection string of a client that encrypts only its login.
pub(crate) async fn serve(faults: Faults, snapshot: bool) -> (Server, String) {
    start(answers(snapshot, &item().contract), faults).await
}

/// What the ledger answers to somebody whose contract is this one.
pub(crate) fn answers(snapshot: bool, contract: &Contract) -> FixedEngine {
    let said = SqlError {
        number: 5701,
        class: 0,
        state: 1,
        message: "Changed database context to 'NAV'.".into(),
        procedure: String::new(),
        line: 1,
    };
    let rows = vec![
        Reply::DatabaseChanged("NAV".into()),
        Reply::Info(said),
        Reply::Columns(
            COLUMNS
                .map(|(name, sql_type)| column(name, sql_type))
                .into(),
        ),
        Reply::Rows(rows()),
        Reply::StatementDone {
            rows: u64::try_from(ROWS).ok(),
        },
    ];
    let (columns, sums) = totals();
    let asked = totals_query(contract, &query());
    engine(i32::from(snapshot), 0)
        .on(&query().text, rows)
        .on_rows(&asked.text, columns, sums)
}

/// A server of these answers, with such a connection string.
pub(crate) async fn start(engine: impl SqlEngine, faults: Faults) -> (Server, String) {
    let config = ServerConfig {
        tls: TlsMode::Optional,
        faults,
        ..ServerConfig::default()
    };
    let server = Server::start(config, Arc::new(engine)).await.unwrap();
    let odbc = server.odbc_string(&LOGIN, Trust::Any);
    let plain = odbc.replace("Encrypt=yes", "Encrypt=no");
    assert_ne!(odbc, plain);
    (server, plain)
}

/// No try is repeated, and a machine under load has time for a good answer.
pub(crate) fn limits() -> Limits {
    waiting(Duration::from_secs(20))
}

/// The same for a server that may be silent.
pub(crate) fn waiting(time: Duration) -> Limits {
    Limits {
        first_row_timeout: time,
        row_gap_timeout: time,
        open_attempts_max: 1,
        evidence_reserve_bytes: 0,
        ..Limits::default()
    }
}
