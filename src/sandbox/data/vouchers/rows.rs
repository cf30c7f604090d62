//! The shop's voucher tables: the stock at both month ends, and what is known of each voucher today.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Builder, Decimal128Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, UInt8Builder,
};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use crate::sandbox::data::decor::{BATCH_ROWS, constant, head};
use crate::sandbox::data::events::{DAY_US, closings};
use crate::sandbox::data::ledger::batch;
use crate::sandbox::data::systems::Rows;
use crate::sandbox::tsql::error::{SqlResult, internal};

use super::defs::{CLOSING, VOUCHER};
use super::life::{BusinessUse, EndedBy, Voucher};

/// The night after a month end, in which the stock is taken: what came in by then is in it.
const TAKEN_LATER: i64 = 2 * DAY_US;

/// A money column of the shop.
pub(super) fn money() -> Decimal128Builder {
    Decimal128Builder::new().with_data_type(DataType::Decimal128(19, 4))
}

/// The rows of a company while they are written.
pub(super) struct VoucherRows {
    id_company: ArrayRef,
    stock: Stock,
    known: Known,
    batches: [Vec<RecordBatch>; 2],
}

#[derive(Default)]
struct Stock {
    texts: [StringBuilder; 7],
    templates: Int32Builder,
    active: UInt8Builder,
    amounts: Option<[Decimal128Builder; 3]>,
    times: [TimestampMicrosecondBuilder; 6],
    snapshots: Date32Builder,
    customers: Int64Builder,
    used: Int32Builder,
    rows: usize,
}

#[derive(Default)]
struct Known {
    ids: StringBuilder,
    reasons: StringBuilder,
    updated: TimestampMicrosecondBuilder,
    rows: usize,
}

impl VoucherRows {
    pub(super) fn new(company: &str) -> Self {
        Self {
            id_company: constant(company),
            stock: Stock::default(),
            known: Known::default(),
            batches: [Vec::new(), Vec::new()],
        }
    }

    /// Adds a voucher: a row of each stock that was taken after it came, and what is known of it; `number` decides what
    /// the shop leaves empty.
    pub(super) fn push(&mut self, voucher: &Voucher<'_>, number: u64) -> SqlResult<()> {
        for closing in closings() {
            if voucher.life.created < closing * DAY_US + TAKEN_LATER {
                self.stock.push(voucher, number, closing)?;
            }
        }
        self.known.push(voucher, number);
        if self.stock.rows + 2 > BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> SqlResult<()> {
        let [stock, known] = &mut self.batches;
        stock.extend(self.stock.finish(&self.id_company)?);
        known.extend(self.known.finish(&self.id_company)?);
        Ok(())
    }

    pub(super) fn finish(mut self) -> SqlResult<Rows> {
        self.flush()?;
        let [stock, known] = self.batches;
        Ok(vec![(&CLOSING, stock), (&VOUCHER, known)])
    }
}

/// One in three vouchers comes from no template; marketing always has one.
fn template(voucher: &Voucher<'_>, number: u64) -> Option<i32> {
    let has = !number.is_multiple_of(3) || voucher.life.usage == BusinessUse::Marketing;
    has.then(|| i32::try_from(700 + number % 40).unwrap_or(700))
}

impl Stock {
    fn push(&mut self, voucher: &Voucher<'_>, number: u64, closing: i64) -> SqlResult<()> {
        let life = &voucher.life;
        let state = life.at(closing * DAY_US);
        let template = template(voucher, number);
        let by = |wanted: EndedBy| {
            let ended = state.ended.filter(|(_, by)| *by == wanted);
            ended.map(|(at, _)| at)
        };
        let word = life.usage.word();
        let name = template.map(|id| format!("{} {id}", word.unwrap_or("general")));
        let status = template.map(|_| match by(EndedBy::Template) {
            Some(_) => "inactive",
            None => "active",
        });
        let texts = [
            Some(voucher.id),
            Some(voucher.code),
            word,
            name.as_deref(),
            (!number.is_multiple_of(5)).then_some("Bon d'achat – à valoir"),
            Some(if number.is_multiple_of(7) {
                "percent"
            } else {
                "fixed"
            }),
            status,
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option(text);
        }
        self.templates.append_option(template);
        self.active.append_option(state.is_active);
        let amounts = self
            .amounts
            .get_or_insert_with(|| [money(), money(), money()]);
        let values = [life.amount, state.used, life.amount - state.used];
        for (column, value) in amounts.iter_mut().zip(values) {
            column.append_value(value.into());
        }
        let times = [
            Some(life.created),
            Some(life.to),
            Some(life.created),
            state.last_used,
            by(EndedBy::Voucher),
            by(EndedBy::Template),
        ];
        for (column, time) in self.times.iter_mut().zip(times) {
            column.append_option(time);
        }
        let snapshot = i32::try_from(closing - 1).map_err(internal)?;
        self.snapshots.append_value(snapshot);
        let customer = i64::try_from(9_000_000 + number * 7).map_err(internal)?;
        self.customers
            .append_option((!number.is_multiple_of(4)).then_some(customer));
        self.used.append_value(state.times);
        self.rows += 1;
        Ok(())
    }

    fn finish(&mut self, id_company: &ArrayRef) -> SqlResult<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        let Some([mut issued, mut used, mut remaining]) = self.amounts.take() else {
            return Ok(None);
        };
        let [ids, codes, words, names, descriptions, types, statuses] = &mut self.texts;
        let [from, to, created, last, ended, ended_template] = &mut self.times;
        let columns: Vec<ArrayRef> = vec![
            head(id_company, rows),
            Arc::new(ids.finish()),
            Arc::new(codes.finish()),
            Arc::new(words.finish()),
            Arc::new(self.templates.finish()),
            Arc::new(names.finish()),
            Arc::new(descriptions.finish()),
            Arc::new(self.active.finish()),
            Arc::new(types.finish()),
            Arc::new(statuses.finish()),
            Arc::new(issued.finish()),
            Arc::new(from.finish()),
            Arc::new(to.finish()),
            Arc::new(created.finish()),
            Arc::new(last.finish()),
            Arc::new(self.snapshots.finish()),
            Arc::new(ended.finish()),
            Arc::new(ended_template.finish()),
            Arc::new(self.customers.finish()),
            Arc::new(used.finish()),
            Arc::new(self.used.finish()),
            Arc::new(remaining.finish()),
        ];
        batch(&CLOSING, columns).map(Some)
    }
}

impl Known {
    fn push(&mut self, voucher: &Voucher<'_>, number: u64) {
        let life = &voucher.life;
        let ordered = life.uses().map(|one| one.ordered);
        let ended = life.ended.map(|(at, _)| at);
        let updated = ordered.chain(ended).fold(life.created, i64::max);
        self.ids.append_value(voucher.id);
        let reason = match life.usage {
            BusinessUse::Refund => Some("Produit retourné"),
            BusinessUse::Apology => Some("Late delivery"),
            _ => (!number.is_multiple_of(2)).then_some(""),
        };
        self.reasons.append_option(reason);
        self.updated.append_value(updated);
        self.rows += 1;
    }

    fn finish(&mut self, id_company: &ArrayRef) -> SqlResult<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = vec![
            head(id_company, rows),
            Arc::new(self.ids.finish()),
            Arc::new(self.reasons.finish()),
            Arc::new(self.updated.finish()),
        ];
        batch(&VOUCHER, columns).map(Some)
    }
}
