//! The rows of a file as batches: every value exactly of its column's type, or an error with line and column.

use std::io::Read;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::amounts::plain;
use super::walk::{Bounds, walk};
use super::{wrong, wrong_cell};
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::text_file::lines::Field;
use crate::domain::text_file::value::{date, day_first, decimal_units, time_of};
use crate::domain::uploaded::{DateOrder, FileColumn, FileDefinition, FileLayout};
use crate::kernels::cells::batch;
use crate::kernels::conform::source_schema;
use crate::ports::{Cell, Described, PortError, SourceColumn};

/// Who describes the columns of a file.
const BY_FILE: &str = "file";
/// Bytes of a value beside its text; the estimate only decides where a batch is cut.
const VALUE_BYTES: usize = 16;

/// The columns that a file delivers: those of the contract, null where the file does not have one.
#[must_use]
pub fn described(contract: &Contract) -> Described {
    Described {
        columns: SourceColumn::of(contract),
        by: BY_FILE.to_owned(),
    }
}

/// How one column is read.
struct Reading<'a> {
    column: &'a Column,
    rules: Option<&'a FileColumn>,
    field: Option<usize>,
}

/// Reads all rows and gives them away batch by batch; `give` may end it by `false`.
///
/// # Shape
/// Columns by ordinal with source names, as every reader of a source delivers them.
/// # Errors
/// `Corrupt` with line and column of a value that is not its column's; what `give` and the reader say.
pub fn read_rows(
    from: &mut dyn Read,
    layout: &FileLayout,
    (definition, contract): (&FileDefinition, &Contract),
    bounds: Bounds,
    give: &mut dyn FnMut(RecordBatch) -> Result<bool, PortError>,
) -> Result<u64, PortError> {
    let columns = described(contract).columns;
    let schema = source_schema(&columns)
        .map_err(|error| wrong(error.to_string(), "declare another type in ipe.toml"))?;
    let mut rows = Rows {
        readings: contract
            .columns
            .iter()
            .map(|column| Reading {
                column,
                rules: definition.columns.iter().find(|c| c.name == column.name),
                field: layout.field_of(&column.name),
            })
            .collect(),
        layout,
        contract,
        names: contract.columns.iter().map(|c| c.name.clone()).collect(),
        schema: Arc::new(schema),
        held: Vec::new(),
        bytes: 0,
    };
    let form = (layout.encoding, layout.line_form(), layout.fields);
    let walked = walk(from, form, bounds, &mut |line, fields| {
        rows.push(line, fields)?;
        let is_full =
            rows.held.len() >= bounds.batch_rows_max || rows.bytes >= bounds.batch_bytes_max;
        if is_full {
            give(rows.take()?)
        } else {
            Ok(true)
        }
    })?;
    if !rows.held.is_empty() {
        give(rows.take()?)?;
    }
    Ok(walked.rows)
}

struct Rows<'a> {
    readings: Vec<Reading<'a>>,
    layout: &'a FileLayout,
    contract: &'a Contract,
    names: Vec<String>,
    schema: SchemaRef,
    held: Vec<Vec<Cell>>,
    bytes: usize,
}

impl Rows<'_> {
    fn push(&mut self, line: usize, fields: &[Field<'_>]) -> Result<(), PortError> {
        let mut row = Vec::with_capacity(self.readings.len());
        for reading in &self.readings {
            let text = reading.field.and_then(|field| fields.get(field));
            let text = text.map(|field| field.text.as_ref());
            let text = text.filter(|text| !text.trim().is_empty());
            self.bytes += VALUE_BYTES + text.map_or(0, str::len);
            row.push(if reading.column.name == self.layout.line {
                Cell::Int(i64::try_from(line).unwrap_or(i64::MAX))
            } else {
                reading
                    .cell(text, self.layout)
                    .map_err(|what| wrong_cell(line, &reading.column.name, &what))?
            });
        }
        self.held.push(row);
        Ok(())
    }

    fn take(&mut self) -> Result<RecordBatch, PortError> {
        let held = std::mem::take(&mut self.held);
        self.bytes = 0;
        let made = batch(self.contract, &self.names, &held).and_then(|batch| {
            let columns = batch.columns().to_vec();
            let named = RecordBatch::try_new(Arc::clone(&self.schema), columns);
            named.map_err(|error| error.to_string())
        });
        made.map_err(|what| wrong(what, "compare the types of ipe.toml with the file"))
    }
}

impl Reading<'_> {
    fn cell(&self, text: Option<&str>, layout: &FileLayout) -> Result<Cell, String> {
        let Some(text) = text else {
            if self.column.nullable {
                return Ok(Cell::Null);
            }
            let what = "is empty, and the contract allows no null; complete it where the file is made, and leave out lines \
                        that are sums or notes";
            return Err(what.to_owned());
        };
        match self.column.column_type {
            ColumnType::Text => self.text(text),
            ColumnType::Decimal { precision, scale } => {
                let number = plain(text, layout.decimal)?;
                let ty = &self.column.sql_type;
                let units = decimal_units(&number, (precision, scale), ty)?;
                if units < 0 && self.rules.is_some_and(|rules| rules.not_negative) {
                    let what = "is negative, and the item has no negative amounts; ask who made the file what it means";
                    return Err(what.to_owned());
                }
                let amount = Amount::new(units, scale).map_err(|error| error.to_string())?;
                Ok(Cell::Decimal(amount))
            }
            ColumnType::Date => Ok(Cell::Date(self.moment(text, layout.dates, 0)?.date())),
            ColumnType::DateTime => Ok(Cell::DateTime(self.moment(text, layout.dates, 6)?)),
            _ => Err(format!(
                "has type {}, which is not read from a file; declare text, decimal, date or datetime2(6)",
                self.column.sql_type
            )),
        }
    }

    fn text(&self, text: &str) -> Result<Cell, String> {
        if self.rules.is_some_and(|rules| rules.identifier) && is_spoiled(text.trim()) {
            let what = "is an identifier that became a number (a fraction of zeros, or an exponent), so that digits may be \
                        lost; export it as text, not through a spreadsheet or a float";
            return Err(what.to_owned());
        }
        Ok(Cell::Text(text.to_owned()))
    }

    fn moment(&self, text: &str, dates: DateOrder, digits: u8) -> Result<NaiveDateTime, String> {
        let text = text.trim();
        let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
        let read = match dates {
            DateOrder::Iso => date(day),
            DateOrder::DayFirst => day_first(day),
        };
        let day = read.ok_or(match dates {
            DateOrder::Iso => {
                "is no date of the form YYYY-MM-DD; if the file writes DD/MM/YYYY, say day-first with --file-form"
            }
            DateOrder::DayFirst => {
                "is no date of the form DD/MM/YYYY, which --file-form declares; leave day-first out if the file writes \
                 YYYY-MM-DD"
            }
        })?;
        let micros = match (time, digits) {
            ("", _) => 0,
            (_, 0) => {
                return Err("has a time of day, and the column is a date; correct it where the file is made".to_owned());
            }
            (time, digits) => time_of(time, digits)?,
        };
        let time = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(micros));
        Ok(day.and_time(time.0))
    }
}

/// Whether an identifier is what a float or a spreadsheet makes of one: `10.0`, `1.23E+15`.
fn is_spoiled(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((whole, zeros)) = text.split_once(['.', ','])
        && is_number(whole)
        && !zeros.is_empty()
        && zeros.bytes().all(|byte| byte == b'0')
    {
        return true;
    }
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let has_mark = mantissa.contains(['.', ',']) || exponent.starts_with('+');
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    has_mark && is_number(exponent) && is_number(&mantissa.replace(['.', ','], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_became_numbers_are_known() {
        for spoiled in [
            "10.0",
            "123456.00",
            "10,0",
            "1.23E+15",
            "1,23e+15",
            "5E+20",
            "1.5E15",
        ] {
            assert!(is_spoiled(spoiled), "{spoiled}");
        }
        for good in [
            "10", "0010", "V-10.0", "12E5", "1.5", "10.", "E+15", "ABC.0", "1E-", "1.2.0",
        ] {
            assert!(!is_spoiled(good), "{good}");
        }
    }
}
