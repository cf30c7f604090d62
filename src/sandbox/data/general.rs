//! The general ledger of one company: two lines for every event, and the balances that they add up to.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::balances::{Balances, Place};
use crate::sandbox::data::chart::{ACCOUNTS, BANK, BUSLINES, CURRENCIES, PARTNERS};
use crate::sandbox::data::decor::{BATCH_ROWS, Decor, head};
use crate::sandbox::data::defs::GENERAL_LEDGER;
use crate::sandbox::data::events::DAY_US;
use crate::sandbox::data::ledger::{Posting, amounts, batch, document_type};
use crate::sandbox::tsql::error::{SqlResult, internal, overflow};

/// Nine in the morning, the hour at which everything is entered, in microseconds.
pub(super) const NINE_US: i64 = DAY_US / 24 * 9;

/// NAV's word for the kind of a balancing account.
pub(super) fn balancing_type(account: usize) -> &'static str {
    if account == BANK {
        "Bank Account"
    } else {
        "G/L Account"
    }
}

pub(super) struct GeneralLedger<'a> {
    decor: &'a [Decor],
    id_company: ArrayRef,
    numbers: Int32Builder,
    accounts: StringBuilder,
    posted: TimestampMicrosecondBuilder,
    created: TimestampMicrosecondBuilder,
    kinds: StringBuilder,
    documents: StringBuilder,
    externals: StringBuilder,
    amounts: Option<Decimal128Builder>,
    currencies: StringBuilder,
    buslines: StringBuilder,
    balancing_types: StringBuilder,
    balancing: StringBuilder,
    sources: StringBuilder,
    partners: StringBuilder,
    rows: usize,
    batches: Vec<RecordBatch>,
    balances: Balances,
}

impl<'a> GeneralLedger<'a> {
    pub(super) fn new(decor: &'a [Decor], id_company: ArrayRef) -> Self {
        Self {
            decor,
            id_company,
            numbers: Int32Builder::new(),
            accounts: StringBuilder::new(),
            posted: TimestampMicrosecondBuilder::new(),
            created: TimestampMicrosecondBuilder::new(),
            kinds: StringBuilder::new(),
            documents: StringBuilder::new(),
            externals: StringBuilder::new(),
            amounts: None,
            currencies: StringBuilder::new(),
            buslines: StringBuilder::new(),
            balancing_types: StringBuilder::new(),
            balancing: StringBuilder::new(),
            sources: StringBuilder::new(),
            partners: StringBuilder::new(),
            rows: 0,
            batches: Vec::new(),
            balances: Balances::default(),
        }
    }

    /// Posts `amount_lcy` to the first account and its opposite to the second.
    pub(super) fn post(
        &mut self,
        posting: &Posting<'_>,
        accounts: [usize; 2],
        amount_lcy: i128,
    ) -> SqlResult<()> {
        let [debit, credit] = accounts;
        let opposite = amount_lcy
            .checked_neg()
            .ok_or_else(|| overflow("numeric"))?;
        self.line(posting, posting.gl_entry_no, [debit, credit], amount_lcy)?;
        self.line(
            posting,
            posting.gl_entry_no.saturating_add(1),
            [credit, debit],
            opposite,
        )?;
        if self.rows + 2 > BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        posting: &Posting<'_>,
        number: i32,
        pair: [usize; 2],
        amount: i128,
    ) -> SqlResult<()> {
        let entry = posting.entry;
        let [account, other] = pair;
        let local = |index: usize| ACCOUNTS.get(index).map_or("", |a| a.local);
        self.numbers.append_value(number);
        self.accounts.append_value(local(account));
        self.posted.append_value(entry.day * DAY_US);
        self.created
            .append_value(posting.created_day * DAY_US + NINE_US);
        self.kinds.append_value(document_type(entry.kind));
        self.documents.append_value(posting.document);
        self.externals.append_option(posting.external);
        self.amounts
            .get_or_insert_with(amounts)
            .append_value(amount);
        self.currencies
            .append_value(CURRENCIES.get(entry.currency).map_or("", |(code, _)| *code));
        self.buslines
            .append_value(BUSLINES.get(entry.busline).copied().unwrap_or_default());
        self.balancing_types.append_value(balancing_type(other));
        self.balancing.append_value(local(other));
        self.sources.append_value(posting.customer);
        self.partners
            .append_value(PARTNERS.get(entry.partner).copied().unwrap_or_default());
        self.rows += 1;
        let place = Place {
            account,
            currency: entry.currency,
            busline: entry.busline,
            partner: entry.partner,
        };
        self.balances.add(place, entry.day, amount)
    }

    fn flush(&mut self) -> SqlResult<()> {
        let rows = std::mem::take(&mut self.rows);
        let Some(mut amounts) = self.amounts.take() else {
            return Ok(());
        };
        let variant = self.batches.len() % self.decor.len().max(1);
        let decor = self
            .decor
            .get(variant)
            .ok_or_else(|| internal("no decorations"))?;
        let posted: ArrayRef = Arc::new(self.posted.finish());
        let columns: Vec<ArrayRef> = vec![
            head(&self.id_company, rows),
            Arc::new(self.numbers.finish()),
            Arc::new(self.accounts.finish()),
            Arc::clone(&posted),
            posted,
            Arc::new(self.created.finish()),
            Arc::new(self.kinds.finish()),
            Arc::new(self.documents.finish()),
            Arc::new(self.externals.finish()),
            head(&decor.none, rows),
            head(&decor.description, rows),
            Arc::new(amounts.finish()),
            Arc::new(self.currencies.finish()),
            Arc::new(self.buslines.finish()),
            head(&decor.department, rows),
            Arc::new(self.balancing_types.finish()),
            Arc::new(self.balancing.finish()),
            head(&decor.reason, rows),
            head(&decor.source, rows),
            head(&decor.source_type, rows),
            Arc::new(self.sources.finish()),
            head(&decor.zero, rows),
            head(&decor.user, rows),
            head(&decor.destination, rows),
            Arc::new(self.partners.finish()),
            head(&decor.ic_partner, rows),
            head(&decor.flag, rows),
        ];
        self.batches.push(batch(&GENERAL_LEDGER, columns)?);
        Ok(())
    }

    /// The batches and the balances.
    pub(super) fn finish(mut self) -> SqlResult<(Vec<RecordBatch>, Balances)> {
        self.flush()?;
        Ok((self.batches, self.balances))
    }
}
