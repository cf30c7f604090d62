//! The 15-column ledger row as conformed batches, from a fixed seed; needs no source and no sandbox.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Int16Array, Int32Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::kernels::conform::staged_schema;

/// Name, SQL type, whether it is an amount.
pub(crate) const COLUMNS: [(&str, &str, bool); 15] = [
    ("id_company", "varchar(20)", false),
    ("entry_no", "int", false),
    ("gl_entry_no", "int", false),
    ("document_no", "nvarchar(20)", false),
    ("document_type", "nvarchar(20)", false),
    ("posting_date", "datetime", false),
    ("customer_no", "nvarchar(20)", false),
    ("customer_name", "nvarchar(50)", false),
    ("customer_posting_group", "nvarchar(20)", false),
    ("currency", "nvarchar(10)", false),
    ("original_amount", "decimal(38,20)", true),
    ("original_amount_lcy", "decimal(38,20)", true),
    ("rem_amt_lcy", "decimal(38,20)", true),
    ("created_at", "datetime", false),
    ("open", "tinyint", false),
];

const COMPANIES: [&str; 6] = ["EC_NG", "EC_KE", "JM_EG", "JD_GH", "JM_MA", "EC_IC"];

pub(crate) fn contract() -> Contract {
    let column = |&(name, sql_type, amount): &(&str, &str, bool)| {
        let sql_type = sql_type.parse().unwrap();
        Column {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: true,
            amount,
            personal: false,
            description: String::new(),
        }
    };
    Contract {
        version: 1,
        columns: COLUMNS.iter().map(column).collect(),
        key: vec!["id_company".to_owned(), "entry_no".to_owned()],
        company: "id_company".to_owned(),
    }
}

/// Batches of content columns. Times of day are midnight in `posting_date` and any hundredth of a second in
/// `created_at`, which the source's `datetime` holds exactly.
pub(crate) fn batches(
    count: usize,
    rows: usize,
    nulls: bool,
    companies_mixed: bool,
) -> Vec<RecordBatch> {
    let mut random = StdRng::seed_from_u64(7);
    let schema = staged_schema(&contract());
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .take(COLUMNS.len())
        .cloned()
        .collect();
    let schema = Arc::new(Schema::new(fields));
    (0..count)
        .map(|index| {
            let company = COMPANIES[index * COMPANIES.len() / count];
            let columns = COLUMNS.iter().map(|(name, ..)| {
                let company = (!companies_mixed).then_some(company);
                column(name, company, index * rows, rows, nulls, &mut random)
            });
            RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
        })
        .collect()
}

fn column(
    name: &str,
    company: Option<&str>,
    first: usize,
    rows: usize,
    nulls: bool,
    random: &mut StdRng,
) -> ArrayRef {
    const DAY: i64 = 86_400_000_000;
    let null = |random: &mut StdRng| nulls && random.random_ratio(1, 5);
    match name {
        "id_company" => Arc::new(StringArray::from_iter_values((0..rows).map(|_| {
            company.unwrap_or_else(|| COMPANIES[random.random_range(0..COMPANIES.len())])
        }))),
        "entry_no" | "gl_entry_no" => Arc::new(Int32Array::from_iter_values(
            (first..first + rows).map(|row| i32::try_from(row).unwrap() * 3 + 1_000_000),
        )),
        "posting_date" | "created_at" => {
            Arc::new(TimestampMicrosecondArray::from_iter((0..rows).map(|_| {
                let day = random.random_range(19_000..19_844) * DAY;
                let time = match name {
                    "posting_date" => 0,
                    _ => random.random_range(0..8_640_000) * 10_000,
                };
                (!null(random)).then_some(day + time)
            })))
        }
        "original_amount" | "original_amount_lcy" | "rem_amt_lcy" => {
            let cents = 10_i128.pow(18);
            let amounts = Decimal128Array::from_iter((0..rows).map(|_| {
                let amount = random.random_range(-100_000_000_i128..100_000_000) * cents;
                (!null(random)).then_some(amount)
            }));
            Arc::new(amounts.with_precision_and_scale(38, 20).unwrap())
        }
        "open" => Arc::new(Int16Array::from_iter_values(
            (0..rows).map(|_| random.random_range(0..2)),
        )),
        _ => Arc::new(StringArray::from_iter((0..rows).map(|row| {
            let n = random.random_range(0..50_000);
            let text = match name {
                "document_no" => format!("SI-2024-{:07}", first + row),
                "document_type" => ["Invoice", "Payment", "Credit Memo", ""][n % 4].to_owned(),
                "customer_no" => format!("C{n:09}"),
                "customer_name" => format!("Société Générale d'Électricité {n}"),
                "customer_posting_group" => format!("LOAN-REC-{}", n % 20),
                _ => ["NGN", "KES", "EGP", "XOF"][n % 4].to_owned(),
            };
            (!null(random)).then_some(text)
        }))),
    }
}
