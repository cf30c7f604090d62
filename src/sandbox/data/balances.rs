//! General ledger balances per account, currency, business line and partner at the month ends: the source of CR_04.
//!
//! Filled by the general ledger line by line, never from the sub-ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use crate::sandbox::data::chart::{ACCOUNTS, Account, BUSLINES, CURRENCIES, Company, PARTNERS};
use crate::sandbox::data::defs::BALANCES;
use crate::sandbox::data::events::{DAY_US, UNIT, closings};
use crate::sandbox::data::ledger::amounts;
use crate::sandbox::data::table::Table;
use crate::sandbox::tsql::error::{SqlResult, overflow};

/// Where a balance is kept; every number is a position in a list of `chart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) account: usize,
    pub(super) currency: usize,
    pub(super) busline: usize,
    pub(super) partner: usize,
}

/// Balances of one company at each closing, in units of 10^-20.
#[derive(Debug, Default)]
pub(super) struct Balances(BTreeMap<Place, [i128; 2]>);

impl Balances {
    /// Adds what later books came to.
    pub(super) fn merge(&mut self, later: &Self) -> SqlResult<()> {
        for (place, amounts) in &later.0 {
            let sums = self.0.entry(*place).or_default();
            for (sum, amount) in sums.iter_mut().zip(amounts) {
                *sum = sum
                    .checked_add(*amount)
                    .ok_or_else(|| overflow("numeric"))?;
            }
        }
        Ok(())
    }

    /// Adds a posting of `day` to every closing that comes after it.
    pub(super) fn add(&mut self, place: Place, day: i64, amount: i128) -> SqlResult<()> {
        let sums = self.0.entry(place).or_default();
        for (sum, closing) in sums.iter_mut().zip(closings_once()) {
            if day < *closing {
                *sum = sum.checked_add(amount).ok_or_else(|| overflow("numeric"))?;
            }
        }
        Ok(())
    }
}

fn closings_once() -> &'static [i64; 2] {
    static CLOSINGS: std::sync::OnceLock<[i64; 2]> = std::sync::OnceLock::new();
    CLOSINGS.get_or_init(closings)
}

/// The view over the balances of all companies; the last closing of a company may have been refreshed on a day of its own.
pub(super) fn view<'a>(
    companies: impl Iterator<Item = (&'a Company, &'a Balances, Option<i64>)> + Clone,
) -> SqlResult<Table> {
    let mut rows = Rows::default();
    let [_, last] = closings();
    for (index, closing) in closings().into_iter().enumerate() {
        for (company, balances, refreshed) in companies.clone() {
            // Usually in the night after the first day of the next month.
            let refreshed = refreshed.filter(|_| closing == last).unwrap_or(closing + 1);
            let mut shown: BTreeMap<Place, i128> = BTreeMap::new();
            for (place, sums) in &balances.0 {
                let sum = shown.entry(place.of(company)).or_default();
                *sum = sum
                    .checked_add(sums.get(index).copied().unwrap_or(0))
                    .ok_or_else(|| overflow("numeric"))?;
            }
            for (place, sum) in shown {
                rows.push(company, [closing, refreshed], place, sum);
            }
        }
    }
    rows.finish()
}

impl Place {
    /// The place with the company's own currency written in one way only: as the first.
    fn of(self, company: &Company) -> Self {
        let is_own = CURRENCIES
            .get(self.currency)
            .is_some_and(|(code, _)| *code == company.currency);
        let currency = if is_own { 0 } else { self.currency };
        Self { currency, ..self }
    }
}

/// Text columns of the view that are filled row by row, in declared order.
const TEXTS: usize = 15;

#[derive(Default)]
struct Rows {
    texts: [StringBuilder; TEXTS],
    closing: TimestampMicrosecondBuilder,
    refreshed: TimestampMicrosecondBuilder,
    money: Option<[Decimal128Builder; 2]>,
    len: usize,
}

impl Rows {
    fn push(&mut self, company: &Company, days: [i64; 2], place: Place, balance: i128) {
        let [closing, refreshed] = days;
        let account = ACCOUNTS.get(place.account).copied().unwrap_or(Account {
            local: "",
            group: "",
            name: "",
            levels: [""; 3],
        });
        let [level_1, level_2, level_3] = account.levels;
        let currency = match CURRENCIES.get(place.currency) {
            Some((code, _)) if !code.is_empty() => *code,
            _ => company.currency,
        };
        let row: [&str; TEXTS] = [
            company.code,
            company.name,
            company.country_code,
            company.country,
            account.group,
            account.name,
            account.local,
            currency,
            BUSLINES.get(place.busline).copied().unwrap_or_default(),
            PARTNERS.get(place.partner).copied().unwrap_or_default(),
            account.group,
            account.name,
            level_1,
            level_2,
            level_3,
        ];
        for (builder, text) in self.texts.iter_mut().zip(row) {
            builder.append_value(text);
        }
        self.closing.append_value((closing - 1) * DAY_US);
        self.refreshed.append_value(refreshed * DAY_US + DAY_US / 8);
        let [rate, amount] = self.money.get_or_insert_with(|| [amounts(), amounts()]);
        rate.append_value(i128::from(company.rate_hundredths) * (UNIT / 100));
        amount.append_value(balance);
        self.len += 1;
    }

    fn finish(mut self) -> SqlResult<Table> {
        let [mut rate, mut amount] = self.money.take().unwrap_or_else(|| [amounts(), amounts()]);
        let texts: Vec<ArrayRef> = self
            .texts
            .iter_mut()
            .map(|b| -> ArrayRef { Arc::new(b.finish()) })
            .collect();
        let text = |index: usize| -> SqlResult<ArrayRef> {
            texts
                .get(index)
                .cloned()
                .ok_or_else(|| crate::sandbox::tsql::error::internal("no such column"))
        };
        let no: ArrayRef = Arc::new(BooleanArray::from(vec![false; self.len]));
        let none: ArrayRef = Arc::new(arrow::array::StringArray::new_null(self.len));
        BALANCES.table_of(vec![
            text(0)?,
            text(1)?,
            text(2)?,
            text(3)?,
            Arc::new(self.closing.finish()),
            Arc::new(self.refreshed.finish()),
            text(4)?,
            text(5)?,
            text(6)?,
            text(7)?,
            Arc::new(rate.finish()),
            Arc::new(amount.finish()),
            text(8)?,
            text(2)?,
            text(3)?,
            text(9)?,
            none,
            Arc::clone(&no),
            Arc::clone(&no),
            text(10)?,
            text(11)?,
            text(12)?,
            text(13)?,
            text(14)?,
            no,
        ])
    }
}
