//! A statement as an Excel workbook: one sheet a table, in the order of page one, with real numbers and days, and totals as
//! formulas that add the rows again.
//!
//! No cell is merged and no text is a formula. Excel keeps 15 digits: a number with more stands as it can be held, and all
//! its digits stand as text in the column beside it.

mod formats;
mod totals;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use self::formats::Formats;
use super::material::{Material, count};
use super::tables::{Cell, Column, Table, TableError, tables};
use super::vocabulary::NO_EVIDENCE;
use super::words::Language;
use crate::domain::amount::Amount;

/// Digits that a number of Excel keeps.
const DIGITS: usize = 15;
/// Characters that a cell of Excel holds are 32,767; a longer text is cut below.
const TEXT_CHARS_MAX: usize = 32_000;
/// Rows of a table that stand in its sheet; one of Excel has 1,048,576, with headings and totals.
const ROWS_MAX: usize = 1_000_000;
/// Row of the headings; above them stand title, run and fingerprint, stamps, and what is said of digits and rows.
const HEADINGS: u32 = 5;
/// Widest column in characters.
const WIDTH_MAX: usize = 60;

/// The workbook as the bytes of a file; the same statement gives the same bytes.
///
/// # Errors
/// [`TableError::Excel`] for more rows than a sheet has, [`TableError::Json`] for the fingerprint.
pub fn workbook(material: Material<'_>, language: Language) -> Result<Vec<u8>, TableError> {
    let statement = material.statement;
    let result = &statement.result;
    let head = Head {
        run: format!(
            "{} {} · {} · {} {} · {} {}",
            result.control,
            result.period,
            language.state(&statement.state),
            language.pick("run", "exécution"),
            statement.run_id,
            language.pick("fingerprint", "empreinte"),
            statement.fingerprint()?
        ),
        stamps: {
            let reasons = statement.stamps.iter().map(|stamp| language.stamp(*stamp));
            let reasons: Vec<&str> = reasons.collect();
            (!reasons.is_empty()).then(|| format!("{NO_EVIDENCE}: {}", reasons.join("; ")))
        },
    };
    let mut book = Workbook::new();
    let title = format!("{} {}", result.control, result.period);
    // The day of the books, not of a clock.
    let day = excel_day(result.period.cutoff())?;
    let properties = DocProperties::new().set_title(&title).set_author("soxauto");
    book.set_properties(&properties.set_creation_datetime(&day));
    let formats = Formats::new();
    for mut table in tables(material, language)? {
        let left = table.rows.len().saturating_sub(ROWS_MAX);
        table.rows.truncate(ROWS_MAX);
        let sheet = book.add_worksheet();
        Sheet {
            table: &table,
            left,
            exact: exact_columns(&table),
            language,
            formats: &formats,
        }
        .write(sheet, &head)?;
    }
    Ok(book.save_to_buffer()?)
}

/// What stands at the head of each sheet.
struct Head {
    run: String,
    stamps: Option<String>,
}

struct Sheet<'a> {
    table: &'a Table,
    /// Rows of the table that a sheet has no room for.
    left: usize,
    /// Places of columns with numbers that Excel cannot hold.
    exact: BTreeSet<usize>,
    language: Language,
    formats: &'a Formats,
}

impl Sheet<'_> {
    fn write(&self, sheet: &mut Worksheet, head: &Head) -> Result<(), XlsxError> {
        sheet.set_name(self.table.name)?;
        sheet.write_string_with_format(0, 0, self.table.title, &self.formats.title)?;
        sheet.write_string(1, 0, &head.run)?;
        if let Some(stamps) = &head.stamps {
            sheet.write_string_with_format(2, 0, stamps, &self.formats.alarm)?;
        }
        if !self.exact.is_empty() {
            sheet.write_string(3, 0, self.said_of_digits())?;
        }
        if self.left > 0 {
            sheet.write_string(4, 0, self.said_of_left())?;
        }
        let mut last = 0;
        for (place, column) in self.table.columns.iter().enumerate() {
            last = self.column(sheet, place, column)?;
        }
        let rows = number(self.table.rows.len());
        if rows == 0 {
            let nothing = self.language.pick("none", "néant");
            sheet.write_string(HEADINGS + 1, 0, nothing)?;
        } else {
            sheet.autofilter(HEADINGS, 0, HEADINGS + rows, last)?;
        }
        self.totals(sheet)?;
        sheet.set_freeze_panes(HEADINGS + 1, 0)?;
        sheet.set_landscape().set_paper_size(9);
        sheet.set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(HEADINGS, HEADINGS)?;
        sheet.set_footer("&L&A&R&P / &N");
        Ok(())
    }

    fn said_of_digits(&self) -> &'static str {
        self.language.pick(
            "Excel keeps 15 digits: where a number has more, the column beside it has all of them as text.",
            "Excel garde 15 chiffres : si un nombre en a plus, la colonne voisine les donne tous en texte.",
        )
    }

    fn said_of_left(&self) -> String {
        let left = self.language.count(count(self.left));
        let said = self.language.pick(
            "more rows than a sheet holds are left out, here and in the totals; the files of tables have all.",
            "lignes de plus que n'en tient une feuille manquent, ici et dans les totaux ; les fichiers des tables ont tout.",
        );
        format!("{left} {said}")
    }

    /// Column of the sheet in which a column of the table stands.
    fn at(&self, place: usize) -> u16 {
        let before = self.exact.range(..place).count();
        u16::try_from(place + before).unwrap_or(u16::MAX)
    }

    /// Writes a column, and says where it ends.
    fn column(
        &self,
        sheet: &mut Worksheet,
        place: usize,
        column: &Column,
    ) -> Result<u16, XlsxError> {
        let at = self.at(place);
        let format = self.formats.of(column.kind);
        sheet.write_string_with_format(HEADINGS, at, &column.label, &self.formats.heading)?;
        let mut width = column.label.chars().count().min(18);
        let mut exact_width = 0;
        for (row, cells) in (HEADINGS + 1..).zip(&self.table.rows) {
            let cell = cells.get(place).unwrap_or(&Cell::None);
            width = width.max(put(sheet, (row, at), cell, format)?);
            if let (true, Cell::Amount(amount)) = (self.exact.contains(&place), cell) {
                let text = amount.to_string();
                exact_width = exact_width.max(text.len());
                sheet.write_string_with_format(row, at + 1, text, &self.formats.text)?;
            }
        }
        sheet.set_column_width(at, excel_width(width))?;
        if !self.exact.contains(&place) {
            return Ok(at);
        }
        let label = format!(
            "{} {}",
            column.label,
            self.language.pick("(exact)", "(exact)")
        );
        sheet.write_string_with_format(HEADINGS, at + 1, label, &self.formats.heading)?;
        sheet.set_column_width(at + 1, excel_width(exact_width))?;
        Ok(at + 1)
    }
}

/// Writes a cell, and says how many characters it shows.
fn put(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    cell: &Cell,
    format: &Format,
) -> Result<usize, XlsxError> {
    Ok(match cell {
        Cell::None => 0,
        Cell::Text(text) => {
            sheet.write_string_with_format(row, at, cut(text), format)?;
            text.chars().count().min(WIDTH_MAX)
        }
        Cell::Amount(amount) => {
            // The nearest number that Excel has; of a number with up to 15 digits it shows all.
            let text = amount.to_string();
            let nearest: f64 = text.parse().unwrap_or(f64::NAN);
            sheet.write_number_with_format(row, at, nearest, format)?;
            let whole = text.split('.').next().map_or(0, str::len);
            whole + whole / 3 + 7
        }
        Cell::Count(count) => {
            let nearest: f64 = count.to_string().parse().unwrap_or(f64::NAN);
            sheet.write_number_with_format(row, at, nearest, format)?;
            8
        }
        Cell::Date(date) => {
            put_moment(sheet, (row, at), &date.to_string(), format)?;
            11
        }
        Cell::Moment(moment) => {
            let text = moment.format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
            put_moment(sheet, (row, at), &text, format)?;
            20
        }
    })
}

/// Writes a day or a moment; one before 1900, which Excel does not know, as text.
fn put_moment(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    match ExcelDateTime::parse_from_str(text) {
        Ok(moment) => sheet.write_datetime_with_format(row, at, &moment, format)?,
        Err(_) => sheet.write_string_with_format(row, at, text, format)?,
    };
    Ok(())
}

/// A text that a cell can hold.
fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(TEXT_CHARS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// Columns of exact numbers of which one has more digits than Excel keeps.
fn exact_columns(table: &Table) -> BTreeSet<usize> {
    let columns = 0..table.columns.len();
    let is_exact = |place: &usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(*place));
        cells.any(|cell| matches!(cell, Cell::Amount(amount) if !is_held(*amount)))
    };
    columns.filter(is_exact).collect()
}

/// Whether Excel can hold all digits of a number.
fn is_held(amount: Amount) -> bool {
    let digits = amount.units().unsigned_abs().to_string();
    digits.trim_end_matches('0').len() <= DIGITS
}

fn excel_day(day: NaiveDate) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::parse_from_str(&day.to_string())
}

fn excel_width(chars: usize) -> f64 {
    let chars = u16::try_from(chars.clamp(8, WIDTH_MAX)).unwrap_or(8);
    f64::from(chars + 2)
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Letters of a column: A for 0, AA for 26.
fn letters(column: u16) -> String {
    rust_xlsxwriter::utility::column_number_to_name(column)
}

#[cfg(test)]
mod tests;
