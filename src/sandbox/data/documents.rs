//! Documents that other systems, or somebody by hand, post to the general ledger: no customer entry stands behind them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::balances::{Balances, Place};
use crate::sandbox::data::chart::{ACCOUNTS, NO_BUSLINE};
use crate::sandbox::data::decor::{BATCH_ROWS, Decor, constant, head};
use crate::sandbox::data::defs::GENERAL_LEDGER;
use crate::sandbox::data::events::{DAY_US, Kind};
use crate::sandbox::data::general::{NINE_US, balancing_type};
use crate::sandbox::data::ledger::{amounts, batch, document_type};
use crate::sandbox::tsql::error::{SqlResult, overflow};

/// Who posts what other systems send.
pub(super) const BATCH_USER: &str = "JUMIA\\NAV31AFR.BATCH.SRVC";

/// One posting of two lines in local currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) kind: Kind,
    /// Days since 1970.
    pub(super) day: i64,
    /// Day on which it was entered.
    pub(super) created_day: i64,
    /// Positions in `ACCOUNTS`: the first takes `amount`, the second its opposite.
    pub(super) accounts: [usize; 2],
    /// In 10^-20 of the local currency.
    pub(super) amount: i128,
    /// Document number; where it is empty, the books number the document.
    pub(super) number: &'a str,
    pub(super) external: Option<&'a str>,
    pub(super) voucher: Option<&'a str>,
    pub(super) description: &'a str,
    pub(super) user: &'a str,
}

/// The general ledger lines of documents, while they are written.
pub(super) struct Documents {
    id_company: ArrayRef,
    decor: Decor,
    columns: Columns,
    rows: usize,
    batches: Vec<RecordBatch>,
    balances: Balances,
}

#[derive(Default)]
struct Columns {
    numbers: Int32Builder,
    accounts: StringBuilder,
    posted: TimestampMicrosecondBuilder,
    created: TimestampMicrosecondBuilder,
    kinds: StringBuilder,
    documents: StringBuilder,
    externals: StringBuilder,
    vouchers: StringBuilder,
    descriptions: StringBuilder,
    amounts: Option<Decimal128Builder>,
    balancing_types: StringBuilder,
    balancing: StringBuilder,
    users: StringBuilder,
}

impl Documents {
    pub(super) fn new(decor: &Decor, id_company: ArrayRef) -> Self {
        let empty = constant("");
        let decor = Decor {
            source: constant("GENJNL"),
            source_type: Arc::clone(&empty),
            center: empty,
            ..decor.clone()
        };
        Self {
            id_company,
            decor,
            columns: Columns::default(),
            rows: 0,
            batches: Vec::new(),
            balances: Balances::default(),
        }
    }

    /// Posts a document as the line `number` and the next one.
    pub(super) fn post(&mut self, document: &Document<'_>, number: i32) -> SqlResult<()> {
        let [debit, credit] = document.accounts;
        let opposite = document.amount.checked_neg();
        let opposite = opposite.ok_or_else(|| overflow("numeric"))?;
        let lines = [(debit, credit, document.amount), (credit, debit, opposite)];
        for ((account, other, amount), number) in lines.into_iter().zip(number..) {
            self.columns
                .push(document, number, [account, other], amount);
            self.rows += 1;
            let place = Place {
                account,
                currency: 0,
                busline: NO_BUSLINE,
                partner: 0,
            };
            self.balances.add(place, document.day, amount)?;
        }
        if self.rows + 2 > BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> SqlResult<()> {
        let rows = std::mem::take(&mut self.rows);
        let columns = std::mem::take(&mut self.columns);
        self.batches
            .extend(columns.finish(&self.id_company, &self.decor, rows)?);
        Ok(())
    }

    /// The batches and the balances.
    pub(super) fn finish(mut self) -> SqlResult<(Vec<RecordBatch>, Balances)> {
        self.flush()?;
        Ok((self.batches, self.balances))
    }
}

impl Columns {
    fn push(&mut self, document: &Document<'_>, number: i32, pair: [usize; 2], amount: i128) {
        let [account, other] = pair;
        let local = |index: usize| ACCOUNTS.get(index).map_or("", |a| a.local);
        self.numbers.append_value(number);
        self.accounts.append_value(local(account));
        self.posted.append_value(document.day * DAY_US);
        self.created
            .append_value(document.created_day * DAY_US + NINE_US);
        self.kinds.append_value(document_type(document.kind));
        self.documents.append_value(document.number);
        self.externals.append_option(document.external);
        self.vouchers.append_option(document.voucher);
        self.descriptions.append_value(document.description);
        self.amounts
            .get_or_insert_with(amounts)
            .append_value(amount);
        self.balancing_types.append_value(balancing_type(other));
        self.balancing.append_value(local(other));
        self.users.append_value(document.user);
    }

    fn finish(
        mut self,
        id_company: &ArrayRef,
        decor: &Decor,
        rows: usize,
    ) -> SqlResult<Option<RecordBatch>> {
        let Some(mut amounts) = self.amounts.take() else {
            return Ok(None);
        };
        let posted: ArrayRef = Arc::new(self.posted.finish());
        let empty = head(&decor.center, rows);
        let columns: Vec<ArrayRef> = vec![
            head(id_company, rows),
            Arc::new(self.numbers.finish()),
            Arc::new(self.accounts.finish()),
            Arc::clone(&posted),
            posted,
            Arc::new(self.created.finish()),
            Arc::new(self.kinds.finish()),
            Arc::new(self.documents.finish()),
            Arc::new(self.externals.finish()),
            Arc::new(self.vouchers.finish()),
            Arc::new(self.descriptions.finish()),
            Arc::new(amounts.finish()),
            Arc::clone(&empty),
            Arc::clone(&empty),
            head(&decor.department, rows),
            Arc::new(self.balancing_types.finish()),
            Arc::new(self.balancing.finish()),
            head(&decor.reason, rows),
            head(&decor.source, rows),
            head(&decor.source_type, rows),
            Arc::clone(&empty),
            head(&decor.zero, rows),
            Arc::new(self.users.finish()),
            head(&decor.destination, rows),
            empty,
            head(&decor.ic_partner, rows),
            head(&decor.flag, rows),
        ];
        batch(&GENERAL_LEDGER, columns).map(Some)
    }
}
