//! Posts entries to the customer ledger, its details and the general ledger, batch by batch.
//!
//! Every event goes to both ledgers in one call ([`Books::post`]), so the sub-ledger cannot differ from the GL; only planted
//! differences take another [`Route`].

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt8Builder,
};
use arrow::record_batch::RecordBatch;
use chrono::Datelike;

use crate::sandbox::data::chart::{BUSLINES, CURRENCIES, Company, PARTNERS, posting_group};
use crate::sandbox::data::decor::{BATCH_ROWS, Decor, constant, head};
use crate::sandbox::data::defs::{CUSTOMER_DETAIL, CUSTOMER_LEDGER};
use crate::sandbox::data::documents::{Document, Documents};
use crate::sandbox::data::events::{DAY_US, Entry, Kind, Movement, calendar};
use crate::sandbox::data::general::GeneralLedger;
use crate::sandbox::data::route::{Named, Numbers, Route};
use crate::sandbox::data::table::TableDef;
use crate::sandbox::tsql::error::{SqlResult, internal};

/// NAV's "no date", 1753-01-01, in microseconds since 1970.
pub(super) const NO_DATE_US: i64 = -6_847_804_800_000_000;

/// NAV's words for the document types.
pub(super) fn document_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice => "Invoice",
        Kind::CreditMemo => "Credit Memo",
        Kind::Payment => "Payment",
        Kind::Journal => "",
    }
}

/// What was posted for one entry, in words that several columns share.
pub(super) struct Posting<'a> {
    pub(super) entry: &'a Entry,
    pub(super) entry_no: i32,
    pub(super) gl_entry_no: i32,
    pub(super) document: &'a str,
    pub(super) external: Option<&'a str>,
    pub(super) customer: &'a str,
    pub(super) created_day: i64,
}

/// An amount column of `decimal(38,20)`.
pub(super) fn amounts() -> Decimal128Builder {
    Decimal128Builder::with_capacity(BATCH_ROWS)
        .with_data_type(arrow::datatypes::DataType::Decimal128(38, 20))
}

/// The books of one company while they are written.
pub(super) struct Books<'a> {
    company: &'a Company,
    decor: &'a [Decor],
    id_company: ArrayRef,
    entries: EntryColumns,
    details: DetailColumns,
    general: GeneralLedger<'a>,
    documents: Documents,
    batches: [Vec<RecordBatch>; 2],
    last: Numbers,
    document: String,
    external: String,
    customer: String,
}

#[derive(Default)]
struct EntryColumns {
    numbers: Int32Builder,
    gl_numbers: Int32Builder,
    documents: StringBuilder,
    kinds: StringBuilder,
    externals: StringBuilder,
    posted: TimestampMicrosecondBuilder,
    dated: TimestampMicrosecondBuilder,
    due: TimestampMicrosecondBuilder,
    closed: TimestampMicrosecondBuilder,
    customers: StringBuilder,
    groups: StringBuilder,
    buslines: StringBuilder,
    currencies: StringBuilder,
    amounts: Option<[Decimal128Builder; 2]>,
    open: UInt8Builder,
    partners: StringBuilder,
    rows: usize,
}

#[derive(Default)]
struct DetailColumns {
    numbers: Int32Builder,
    entries: Int32Builder,
    kinds: StringBuilder,
    posted: TimestampMicrosecondBuilder,
    amounts: Option<[Decimal128Builder; 2]>,
    customers: StringBuilder,
    currencies: StringBuilder,
    rows: usize,
}

/// What the books of a company come to.
pub(super) struct Written {
    pub(super) last: Numbers,
    pub(super) entries: Vec<RecordBatch>,
    pub(super) details: Vec<RecordBatch>,
    pub(super) general: Vec<RecordBatch>,
    pub(super) balances: super::balances::Balances,
}

impl<'a> Books<'a> {
    /// Books that go on after the numbers `last`.
    pub(super) fn new(company: &'a Company, decor: &'a [Decor], last: Numbers) -> SqlResult<Self> {
        let id_company = constant(company.code);
        let first = decor.first().ok_or_else(|| internal("no decorations"))?;
        Ok(Self {
            company,
            decor,
            entries: EntryColumns::default(),
            details: DetailColumns::default(),
            general: GeneralLedger::new(decor, Arc::clone(&id_company)),
            documents: Documents::new(first, Arc::clone(&id_company)),
            id_company,
            batches: [Vec::new(), Vec::new()],
            last,
            document: String::new(),
            external: String::new(),
            customer: String::new(),
        })
    }

    /// Posts a document to the general ledger alone; the customer ledger takes no number for it.
    pub(super) fn post_document(&mut self, document: &Document<'_>) -> SqlResult<()> {
        let first_line = self.last.take_lines();
        self.document.clear();
        if document.number.is_empty() {
            self.number(document.kind, document.day, first_line)?;
        } else {
            self.document.push_str(document.number);
        }
        let numbered = Document {
            number: &self.document,
            ..*document
        };
        self.documents.post(&numbered, first_line)
    }

    /// Posts one entry to both ledgers.
    pub(super) fn post(&mut self, entry: &Entry) -> SqlResult<()> {
        self.post_by(entry, &Route::of(entry))
    }

    /// Posts one entry to the books that `route` says; a number is taken in every book all the same.
    pub(super) fn post_by(&mut self, entry: &Entry, route: &Route) -> SqlResult<()> {
        self.last.entry += 1;
        let gl_entry_no = self.last.take_lines();
        self.name(entry)?;
        let posting = Posting {
            entry,
            entry_no: self.last.entry,
            gl_entry_no,
            document: &self.document,
            external: (entry.dice % 10 < 7).then_some(self.external.as_str()),
            customer: &self.customer,
            created_day: route.created_day,
        };
        self.entries.push(&posting);
        let movements = [Some(&entry.initial), entry.application.as_ref()];
        let movements = movements.into_iter().flatten();
        for movement in movements {
            self.last.detail += 1;
            self.details.push(&posting, self.last.detail, movement);
        }
        if let Some(accounts) = route.accounts {
            self.general
                .post(&posting, accounts, entry.initial.amount_lcy)?;
        }
        if self.entries.rows >= BATCH_ROWS {
            self.flush_entries()?;
        }
        if self.details.rows + 2 > BATCH_ROWS {
            self.flush_details()?;
        }
        Ok(())
    }

    /// The texts that an entry is known by.
    fn name(&mut self, entry: &Entry) -> SqlResult<()> {
        self.document.clear();
        self.number(entry.kind, entry.day, self.last.entry)?;
        self.external.clear();
        // One in ten external numbers is an empty text, which is not a null.
        if !entry.dice.is_multiple_of(10) {
            write!(self.external, "{}", 300_000_000 + entry.dice % 99_999_989).map_err(internal)?;
        }
        self.customer.clear();
        write!(self.customer, "C{:07}", entry.customer + 1).map_err(internal)
    }

    /// Writes the number that the books give a document.
    fn number(&mut self, kind: Kind, day: i64, number: i32) -> SqlResult<()> {
        let kind = match kind {
            Kind::Invoice => "IN",
            Kind::CreditMemo => "CM",
            Kind::Payment => "PY",
            Kind::Journal => "GJ",
        };
        let year = calendar(day).year() % 100;
        let country = self.company.country_code;
        write!(self.document, "{country}{kind}{year:02}-{number:07}").map_err(internal)
    }

    /// How what was posted last is found again.
    pub(super) fn named(&self) -> Named {
        Named {
            entry_no: self.last.entry,
            gl_entry_no: self.last.first_line(),
            document: self.document.clone(),
        }
    }

    fn decor(&self, batches: usize) -> SqlResult<&'a Decor> {
        let variant = batches % self.decor.len().max(1);
        self.decor
            .get(variant)
            .ok_or_else(|| internal("no decorations"))
    }

    fn flush_entries(&mut self) -> SqlResult<()> {
        let [entries, _] = &self.batches;
        let decor = self.decor(entries.len())?;
        let batch = self.entries.finish(&self.id_company, decor)?;
        let [entries, _] = &mut self.batches;
        entries.extend(batch);
        Ok(())
    }

    fn flush_details(&mut self) -> SqlResult<()> {
        let batch = self.details.finish(&self.id_company)?;
        let [_, details] = &mut self.batches;
        details.extend(batch);
        Ok(())
    }

    /// Ends the books.
    pub(super) fn finish(mut self) -> SqlResult<Written> {
        self.flush_entries()?;
        self.flush_details()?;
        let [entries, details] = self.batches;
        let (mut general, mut balances) = self.general.finish()?;
        let (documents, of_documents) = self.documents.finish()?;
        general.extend(documents);
        balances.merge(&of_documents)?;
        Ok(Written {
            last: self.last,
            entries,
            details,
            general,
            balances,
        })
    }
}

impl EntryColumns {
    fn push(&mut self, posting: &Posting<'_>) {
        let entry = posting.entry;
        self.numbers.append_value(posting.entry_no);
        self.gl_numbers.append_value(posting.gl_entry_no);
        self.documents.append_value(posting.document);
        self.kinds.append_value(document_type(entry.kind));
        self.externals.append_option(posting.external);
        self.posted.append_value(entry.day * DAY_US);
        self.dated.append_value(entry.day * DAY_US);
        self.due.append_value(entry.due_day * DAY_US);
        let closed = entry.closed_day();
        self.closed
            .append_value(closed.map_or(NO_DATE_US, |day| day * DAY_US));
        self.open.append_value(u8::from(closed.is_none()));
        self.customers.append_value(posting.customer);
        self.groups.append_value(posting_group(entry.group).0);
        self.buslines
            .append_value(BUSLINES.get(entry.busline).copied().unwrap_or_default());
        self.currencies
            .append_value(CURRENCIES.get(entry.currency).map_or("", |(code, _)| *code));
        let [amount, lcy] = self.amounts.get_or_insert_with(|| [amounts(), amounts()]);
        amount.append_value(entry.initial.amount);
        lcy.append_value(entry.initial.amount_lcy);
        self.partners
            .append_value(PARTNERS.get(entry.partner).copied().unwrap_or_default());
        self.rows += 1;
    }

    fn finish(&mut self, id_company: &ArrayRef, decor: &Decor) -> SqlResult<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        let Some([mut amount, mut lcy]) = self.amounts.take() else {
            return Ok(None);
        };
        batch(
            &CUSTOMER_LEDGER,
            vec![
                head(id_company, rows),
                Arc::new(self.numbers.finish()),
                Arc::new(self.gl_numbers.finish()),
                Arc::new(self.documents.finish()),
                Arc::new(self.kinds.finish()),
                Arc::new(self.externals.finish()),
                Arc::new(self.posted.finish()),
                Arc::new(self.dated.finish()),
                Arc::new(self.due.finish()),
                Arc::new(self.closed.finish()),
                Arc::new(self.customers.finish()),
                Arc::new(self.groups.finish()),
                head(&decor.description, rows),
                head(&decor.source, rows),
                head(&decor.reason, rows),
                Arc::new(self.buslines.finish()),
                head(&decor.department, rows),
                head(&decor.center, rows),
                Arc::new(self.currencies.finish()),
                Arc::new(amount.finish()),
                Arc::new(lcy.finish()),
                Arc::new(self.open.finish()),
                head(&decor.user, rows),
                head(&decor.destination, rows),
                Arc::new(self.partners.finish()),
                head(&decor.ic_partner, rows),
            ],
        )
        .map(Some)
    }
}

impl DetailColumns {
    fn push(&mut self, posting: &Posting<'_>, number: i32, movement: &Movement) {
        self.numbers.append_value(number);
        self.entries.append_value(posting.entry_no);
        self.kinds.append_value(if movement.application {
            "Application"
        } else {
            "Initial Entry"
        });
        self.posted.append_value(movement.day * DAY_US);
        let [amount, lcy] = self.amounts.get_or_insert_with(|| [amounts(), amounts()]);
        amount.append_value(movement.amount);
        lcy.append_value(movement.amount_lcy);
        self.customers.append_value(posting.customer);
        self.currencies.append_value(
            CURRENCIES
                .get(posting.entry.currency)
                .map_or("", |(code, _)| *code),
        );
        self.rows += 1;
    }

    fn finish(&mut self, id_company: &ArrayRef) -> SqlResult<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        let Some([mut amount, mut lcy]) = self.amounts.take() else {
            return Ok(None);
        };
        batch(
            &CUSTOMER_DETAIL,
            vec![
                head(id_company, rows),
                Arc::new(self.numbers.finish()),
                Arc::new(self.entries.finish()),
                Arc::new(self.kinds.finish()),
                Arc::new(self.posted.finish()),
                Arc::new(amount.finish()),
                Arc::new(lcy.finish()),
                Arc::new(self.customers.finish()),
                Arc::new(self.currencies.finish()),
            ],
        )
        .map(Some)
    }
}

/// A batch of a declared table.
pub(super) fn batch(def: &TableDef, columns: Vec<ArrayRef>) -> SqlResult<RecordBatch> {
    RecordBatch::try_new(def.schema()?, columns).map_err(internal)
}
