//! A second reader of the same bytes: it splits them by another parser, reads numbers and days by other code, counts, sums
//! and draws witnesses. It shares the decoding of characters with the first reader, and the layout that was found.

use std::collections::BTreeMap;
use std::io::{self, Read};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use csv::{ByteRecord, ReaderBuilder};
use xxhash_rust::xxh3::xxh3_64;

use super::draw::{Draw, Kept};
use super::walk::{Bounds, read_some};
use super::wrong;
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::text_file::encoding::Decoder;
use crate::domain::totals::{ControlTotals, GroupTotals};
use crate::domain::uploaded::{DateOrder, FileLayout};
use crate::domain::witness::Why;
use crate::ports::{Cell, PortError, PortErrorKind};

/// A row that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnRow {
    /// Company; empty where the file names none.
    pub company: String,
    /// Why it was drawn.
    pub why: Vec<Why>,
    /// Its values, in the order of the contract.
    pub cells: Vec<Cell>,
}

/// What the second reader found.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Rows and sums.
    pub totals: ControlTotals,
    /// Amount by which rows were drawn.
    pub by: String,
    /// Date by which they were drawn, if the file has one.
    pub oldest: Option<String>,
    /// The drawn rows.
    pub drawn: Vec<DrawnRow>,
}

/// Counts and sums all rows per company, and draws some of each by `seed`.
///
/// # Errors
/// `Corrupt` for bytes that are no such file, `Limit` for too many companies or a sum beyond 38 digits; what the reader
/// says.
pub fn count(
    from: Box<dyn Read + Send>,
    layout: &FileLayout,
    contract: &Contract,
    seed: &str,
    bounds: Bounds,
) -> Result<Counted, PortError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(layout.separator.byte())
        .has_headers(false)
        .buffer_capacity(bounds.read_bytes)
        .from_reader(AsUtf8::new(from, layout, bounds));
    let mut counting = Counting::new(layout, contract, seed, bounds);
    let (mut row, mut line, mut named) = (ByteRecord::new(), 1_u64, false);
    while reader
        .read_byte_record(&mut row)
        .map_err(|error| unreadable(error, line))?
    {
        if named {
            counting.see(&row, line)?;
        }
        named = true;
        let inside = row.as_slice().iter().filter(|byte| **byte == b'\n').count();
        line += 1 + u64::try_from(inside).unwrap_or(0);
    }
    counting.finish()
}

fn unreadable(error: csv::Error, line: u64) -> PortError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => {
            let own = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<PortError>());
            own.cloned().unwrap_or_else(|| error.into())
        }
        _ => second(line, "has another number of fields"),
    }
}

fn second(line: u64, what: &str) -> PortError {
    wrong(
        format!("line {line}, read a second time, {what}"),
        "the two readers do not agree on this line; export the file again, with quotes around texts",
    )
}

/// The bytes of a file as UTF-8 without a mark.
struct AsUtf8 {
    from: Box<dyn Read + Send>,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: String,
    given: usize,
    ended: bool,
}

impl AsUtf8 {
    fn new(from: Box<dyn Read + Send>, layout: &FileLayout, bounds: Bounds) -> Self {
        Self {
            from,
            decoder: Decoder::new(layout.encoding),
            bytes: vec![0; bounds.read_bytes],
            text: String::new(),
            given: 0,
            ended: false,
        }
    }

    fn fill(&mut self) -> Result<(), PortError> {
        let at = |(line, what): (usize, String)| {
            let remedy = "export the file again, in one encoding";
            wrong(format!("line {line}: {what}"), remedy)
        };
        let len = read_some(self.from.as_mut(), &mut self.bytes)?;
        self.text.clear();
        self.given = 0;
        if len == 0 {
            self.ended = true;
            return self.decoder.finish(&mut self.text).map_err(at);
        }
        let bytes = self.bytes.get(..len).unwrap_or_default();
        self.decoder.push(bytes, &mut self.text).map_err(at)
    }
}

impl Read for AsUtf8 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.fill().map_err(io::Error::other)?;
        }
        let left = self.text.as_bytes().get(self.given..).unwrap_or_default();
        let len = left.len().min(into.len());
        for (to, byte) in into.iter_mut().zip(left) {
            *to = *byte;
        }
        self.given += len;
        Ok(len)
    }
}

struct Counting<'a> {
    layout: &'a FileLayout,
    contract: &'a Contract,
    company: Option<usize>,
    amounts: Vec<(&'a Column, Option<usize>)>,
    date: Option<(&'a Column, usize)>,
    seed: u64,
    bounds: Bounds,
    groups: BTreeMap<String, (GroupTotals, Draw)>,
}

impl<'a> Counting<'a> {
    fn new(layout: &'a FileLayout, contract: &'a Contract, seed: &str, bounds: Bounds) -> Self {
        let is_date = |column: &&Column| {
            matches!(column.column_type, ColumnType::Date | ColumnType::DateTime)
        };
        let mut dates = contract.columns.iter().filter(is_date);
        Self {
            layout,
            contract,
            company: layout.field_of(&contract.company),
            amounts: contract
                .amounts()
                .map(|column| (column, layout.field_of(&column.name)))
                .collect(),
            date: dates.find_map(|column| Some((column, layout.field_of(&column.name)?))),
            seed: xxh3_64(seed.as_bytes()),
            bounds,
            groups: BTreeMap::new(),
        }
    }

    fn see(&mut self, row: &ByteRecord, line: u64) -> Result<(), PortError> {
        if row.len() != self.layout.fields {
            return Err(second(line, "has another number of fields"));
        }
        let company = self.company.and_then(|field| text(row, field));
        let company = company.unwrap_or_default().trim_end_matches(' ').to_owned();
        if !self.groups.contains_key(&company) && self.groups.len() >= self.bounds.companies_max {
            let what = format!(
                "the file names more than {} companies",
                self.bounds.companies_max
            );
            return Err(PortError::new(PortErrorKind::Limit, what)
                .hint("another column stands where the company should; correct the first line"));
        }
        let none = || {
            let zeros = self.amounts.iter().map(|(column, _)| zero(column));
            let totals = GroupTotals {
                rows: 0,
                sums: zeros.collect(),
            };
            (totals, Draw::default())
        };
        let (totals, draw) = self.groups.entry(company).or_insert_with(none);
        totals.rows += 1;
        let mut first = None;
        for ((column, field), sum) in self.amounts.iter().zip(&mut totals.sums) {
            let Some(text) = field.and_then(|field| text(row, field)) else {
                continue;
            };
            let amount = amount(text, column, self.layout)
                .ok_or_else(|| second(line, &format!("has no amount in `{}`", column.name)))?;
            *sum = sum.checked_add(amount).map_err(|error| {
                let what = format!("the sum of `{}` cannot be held: {error}", column.name);
                PortError::new(PortErrorKind::Limit, what)
            })?;
            first = first.or(Some(amount.units()));
        }
        let date = self.date.and_then(|(_, field)| text(row, field));
        let date = date.and_then(|text| moment(text, self.layout.dates));
        draw.see(row, line, (first, date), self.seed);
        Ok(())
    }

    fn finish(self) -> Result<Counted, PortError> {
        let mut drawn = Vec::new();
        let mut totals = ControlTotals {
            amounts: self.amounts.iter().map(|(c, _)| c.name.clone()).collect(),
            groups: BTreeMap::new(),
        };
        for (company, (group, draw)) in self.groups {
            for (why, kept) in draw.rows() {
                let cells = self.contract.columns.iter();
                let cells = cells.map(|column| cell(column, &kept, self.layout));
                drawn.push(DrawnRow {
                    company: company.clone(),
                    why,
                    cells: cells.collect::<Result<_, _>>()?,
                });
            }
            totals.groups.insert(company, group);
        }
        Ok(Counted {
            by: totals.amounts.first().cloned().unwrap_or_default(),
            oldest: self.date.map(|(column, _)| column.name.clone()),
            totals,
            drawn,
        })
    }
}

fn zero(column: &Column) -> Amount {
    Amount::zero(column.column_type.scale().unwrap_or_default())
}

/// The text of a field, `None` where nothing stands in it.
fn text(row: &ByteRecord, field: usize) -> Option<&str> {
    let text = std::str::from_utf8(row.get(field)?).ok()?;
    (!text.trim().is_empty()).then_some(text)
}

/// An amount by its digits: those before the mark, and those behind it filled up to the scale.
fn amount(text: &str, column: &Column, layout: &FileLayout) -> Option<Amount> {
    let scale = column.column_type.scale()?;
    let (mut units, mut behind, mut negative) = (0_i128, None, false);
    for (place, c) in text.trim().chars().enumerate() {
        match c {
            '-' if place == 0 => negative = true,
            '+' if place == 0 => {}
            c if c == layout.decimal.character() && behind.is_none() => behind = Some(0_u8),
            c if c.is_ascii_digit() => {
                let digit = i128::from(c.to_digit(10)?);
                match &mut behind {
                    Some(digits) if *digits >= scale => {
                        if digit != 0 {
                            return None;
                        }
                        continue;
                    }
                    Some(digits) => *digits += 1,
                    None => {}
                }
                units = units.checked_mul(10)?.checked_add(digit)?;
            }
            '.' | ',' | ' ' | '\'' | '\u{a0}' | '\u{202f}' if behind.is_none() => {}
            _ => return None,
        }
    }
    let left = scale - behind.unwrap_or_default();
    let units = units.checked_mul(10_i128.checked_pow(u32::from(left))?)?;
    Amount::new(if negative { -units } else { units }, scale).ok()
}

fn moment(text: &str, dates: DateOrder) -> Option<NaiveDateTime> {
    let text = text.trim().replacen('T', " ", 1);
    let (day, time) = text.split_once(' ').unwrap_or((&text, "00:00"));
    let format = match (dates, day.contains('-')) {
        (DateOrder::DayFirst, _) => "%d/%m/%Y",
        (DateOrder::Iso, true) => "%Y-%m-%d",
        (DateOrder::Iso, false) => "%Y%m%d",
    };
    let day = NaiveDate::parse_from_str(day, format).ok()?;
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"));
    Some(day.and_time(time.ok()?))
}

fn cell(column: &Column, kept: &Kept, layout: &FileLayout) -> Result<Cell, PortError> {
    if column.name == layout.line {
        return Ok(Cell::Int(i64::try_from(kept.line).unwrap_or(i64::MAX)));
    }
    let field = layout.field_of(&column.name);
    let Some(text) = field.and_then(|field| text(&kept.row, field)) else {
        return Ok(Cell::Null);
    };
    let read = match column.column_type {
        ColumnType::Decimal { .. } => amount(text, column, layout).map(Cell::Decimal),
        ColumnType::Date => moment(text, layout.dates).map(|moment| Cell::Date(moment.date())),
        ColumnType::DateTime => moment(text, layout.dates).map(Cell::DateTime),
        _ => Some(Cell::Text(text.to_owned())),
    };
    read.ok_or_else(|| second(kept.line, &format!("has no value in `{}`", column.name)))
}
