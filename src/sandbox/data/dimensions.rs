//! The small tables: companies, chart of accounts, posting groups, customers.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, StringBuilder, UInt8Builder};
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::chart::{
    ACCOUNTS, Account, BUSLINES, COMPANIES, Company, POSTING_GROUPS,
};
use crate::sandbox::data::decor::{BATCH_ROWS, constant, head};
use crate::sandbox::data::defs::{CHART_OF_ACCOUNTS, COMPANY, CUSTOMERS, POSTING_GROUP};
use crate::sandbox::data::ledger::batch;
use crate::sandbox::data::rng::Rng;
use crate::sandbox::data::table::Table;
use crate::sandbox::tsql::error::SqlResult;

const FIRST_NAMES: [&str; 10] = [
    "Aïcha",
    "Zoë",
    "Kwame",
    "Chinwe",
    "Ngũgĩ",
    "Fatou",
    "محمد",
    "François",
    "Núñez",
    "Amina",
];
const LAST_NAMES: [&str; 8] = [
    "Diallo",
    "Okafor",
    "N'Guessan",
    "Otieno",
    "Benali",
    "O'Brien",
    "Mensah  ",
    "Sœur",
];

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

/// `fdw.Dim_Company`.
pub(super) fn companies() -> SqlResult<Table> {
    let all = || COMPANIES.iter();
    COMPANY.table_of(vec![
        texts(all().map(|c| c.code)),
        texts(all().map(|c| c.name)),
        texts(all().map(|c| c.country)),
        texts(all().map(|c| c.country_code)),
        texts(all().map(|c| {
            if c.currency == "USD" {
                "Central"
            } else {
                "Opco"
            }
        })),
        texts(all().map(|c| c.currency)),
        Arc::new(all().map(|c| Some(c.in_scope)).collect::<BooleanArray>()),
        Arc::new(all().map(|_| Some(true)).collect::<BooleanArray>()),
    ])
}

/// `fdw.Dim_ChartOfAccounts`: every company uses the same local numbers.
pub(super) fn chart_of_accounts() -> SqlResult<Table> {
    let all = || {
        COMPANIES
            .iter()
            .flat_map(|c| ACCOUNTS.iter().map(move |a| (c, a)))
    };
    let level =
        |index: usize| {
            texts(all().map(move |(_, a): (&Company, &Account)| {
                a.levels.get(index).copied().unwrap_or("")
            }))
        };
    CHART_OF_ACCOUNTS.table_of(vec![
        texts(all().map(|(c, _)| c.code)),
        texts(all().map(|(_, a)| a.local)),
        texts(all().map(|(_, a)| a.name)),
        texts(all().map(|(_, a)| a.group)),
        texts(all().map(|(_, a)| a.name)),
        level(0),
        level(1),
        level(2),
    ])
}

/// `[Customer Posting Group]`: every company has all groups.
pub(super) fn posting_groups() -> SqlResult<Table> {
    let all = || {
        COMPANIES
            .iter()
            .flat_map(|c| POSTING_GROUPS.iter().map(move |g| (c, g)))
    };
    POSTING_GROUP.table_of(vec![
        texts(all().map(|(c, _)| c.code)),
        texts(all().map(|(_, (code, _))| *code)),
        texts(all().map(|(_, (code, _))| *code)),
        texts(all().map(|(_, (_, account))| ACCOUNTS.get(*account).map_or("", |a| a.local))),
    ])
}

/// Rows of `[Customers]` for one company, by their numbers.
pub(super) fn customers(
    company: &Company,
    seed: u64,
    stream: u64,
    mut numbers: RangeInclusive<u64>,
) -> SqlResult<Vec<RecordBatch>> {
    let mut rng = Rng::new(seed, stream);
    let id_company = constant(company.code);
    let country = constant(company.country_code);
    let mut batches = Vec::new();
    loop {
        let chunk: Vec<u64> = numbers.by_ref().take(BATCH_ROWS).collect();
        if chunk.is_empty() {
            return Ok(batches);
        }
        let rows = chunk.len();
        let [mut nos, mut names, mut lines, mut groups] = [
            StringBuilder::new(),
            StringBuilder::new(),
            StringBuilder::new(),
            StringBuilder::new(),
        ];
        let mut integrated = UInt8Builder::new();
        for number in chunk {
            nos.append_value(format!("C{number:07}"));
            names.append_option(name(&mut rng));
            lines.append_value(
                BUSLINES
                    .get(rng.index(BUSLINES.len()))
                    .copied()
                    .unwrap_or_default(),
            );
            integrated.append_value(u8::from(rng.percent(80)));
            let group = POSTING_GROUPS.get(rng.index(POSTING_GROUPS.len()));
            groups.append_value(group.map_or("", |(code, _)| *code));
        }
        batches.push(batch(
            &CUSTOMERS,
            vec![
                head(&id_company, rows),
                Arc::new(nos.finish()),
                Arc::new(names.finish()),
                Arc::new(lines.finish()),
                Arc::new(integrated.finish()),
                Arc::new(groups.finish()),
                head(&country, rows),
            ],
        )?);
    }
}

/// `[Customers]` from its rows.
pub(super) fn customers_table(batches: Vec<RecordBatch>) -> SqlResult<Table> {
    CUSTOMERS.table(batches)
}

/// A customer's name; some have none, some an empty one.
fn name(rng: &mut Rng) -> Option<String> {
    match rng.below(50) {
        0 => None,
        1 => Some(String::new()),
        _ => {
            let first = FIRST_NAMES.get(rng.index(FIRST_NAMES.len()))?;
            let last = LAST_NAMES.get(rng.index(LAST_NAMES.len()))?;
            Some(format!("{first} {last}"))
        }
    }
}
