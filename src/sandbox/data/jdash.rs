//! The list of used vouchers that operations of the shop export (JDASH): for a clean month what delivered orders used, and
//! for planted vouchers what the plant says.

use std::collections::BTreeMap;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use chrono::{NaiveDate, NaiveTime};

use crate::domain::amount::Amount;
use crate::sandbox::data::Tables;
use crate::sandbox::data::orders::RPT_SOI;
use crate::sandbox::data::plants::AnswerKey;
use crate::sandbox::data::vouchers::CLOSING;
use crate::sandbox::tsql::error::{SqlResult, internal};

/// What a voucher paid of an item, by column of `RPT_SOI`.
const PAID: [&str; 4] = [
    "MTR_SHIPPING_VOUCHER_DISCOUNT",
    "MTR_SHIPPING_STORECREDIT",
    "MTR_MPL_STORECREDIT",
    "MTR_RTL_STORECREDIT",
];

/// Company and voucher, or its code.
type Key = (String, String);

/// The list as CSV, of what was used before `cutoff`.
///
/// # Errors
/// An internal error.
pub fn csv(tables: &Tables, key: Option<&AnswerKey>, cutoff: NaiveDate) -> SqlResult<String> {
    let mut used = by_code(tables, cutoff)?;
    let mut lines: BTreeMap<Key, String> = BTreeMap::new();
    for (company, id, code) in vouchers(tables)? {
        if let Some(amount) = used.remove(&(company.clone(), code)).filter(|sum| *sum > 0) {
            let amount = Amount::new(amount, 4).map_err(internal)?.to_string();
            lines.insert((company, id), amount);
        }
    }
    for (company, id, amount) in key.into_iter().flat_map(AnswerKey::jdash) {
        lines.insert((company.to_owned(), id.to_owned()), amount.to_owned());
    }
    let mut text = String::from("id_company,voucher_id,amount_used\n");
    for ((company, id), amount) in lines {
        text.push_str(&format!("{company},{id},{amount}\n"));
    }
    Ok(text)
}

/// What delivered orders used, by company and code.
fn by_code(tables: &Tables, cutoff: NaiveDate) -> SqlResult<BTreeMap<Key, i128>> {
    let cutoff = cutoff.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let mut used: BTreeMap<Key, i128> = BTreeMap::new();
    let [database, schema, name] = RPT_SOI.name;
    let table = tables.find(database, schema, name);
    for batch in table.iter().flat_map(|table| &table.batches) {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| internal(name));
        let companies = column("ID_COMPANY")?.as_string::<i32>();
        let codes = column("VOUCHER_CODE")?.as_string::<i32>();
        let days = column("PACKAGE_DELIVERY_DATE")?.as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let is_delivered = days.is_valid(row) && days.value(row) < cutoff;
            if codes.is_null(row) || !is_delivered {
                continue;
            }
            let place = (companies.value(row).to_owned(), codes.value(row).to_owned());
            let sum = used.entry(place).or_default();
            for name in PAID {
                let paid = column(name)?.as_primitive::<Decimal128Type>();
                if paid.is_valid(row) {
                    *sum += paid.value(row);
                }
            }
        }
    }
    Ok(used)
}

/// Company, number and code of every voucher, each once.
fn vouchers(tables: &Tables) -> SqlResult<Vec<(String, String, String)>> {
    let mut found = Vec::new();
    let [database, schema, name] = CLOSING.name;
    let table = tables.find(database, schema, name);
    for batch in table.iter().flat_map(|table| &table.batches) {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| internal(name));
        let [companies, ids, codes] = ["ID_COMPANY", "id", "code"].map(column);
        let (companies, ids) = (companies?.as_string::<i32>(), ids?.as_string::<i32>());
        let codes = codes?.as_string::<i32>();
        for row in 0..batch.num_rows() {
            let texts = [companies, ids, codes].map(|texts| texts.value(row).to_owned());
            found.push(texts.into());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
