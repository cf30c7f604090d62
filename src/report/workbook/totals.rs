//! Totals below the rows of a sheet: formulas that add the rows again, with what they come to.
//!
//! A memo has no verdict and its sign may be unknown, so no total has it. Dollars are added as they stand in the rows, each
//! rounded to two digits, and the label says so: a dollar amount is a fraction, local currency by rate, which no cell holds
//! exactly, and a cell that shows two digits and holds others would not add up for a reader with a pencil. The sums of
//! unrounded dollars stand on page one and in each row of the lines.

use std::collections::BTreeSet;

use rust_xlsxwriter::{Formula, Worksheet, XlsxError};

use super::{HEADINGS, Sheet, letters, number};
use crate::report::material::sum;
use crate::report::tables::{Adds, Cell, Kind};

impl Sheet<'_> {
    /// Below the rows: one row of totals for all that may be added, and one for each currency.
    pub(super) fn totals(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let columns = &self.table.columns;
        if self.table.rows.is_empty() || columns.iter().all(|c| c.adds == Adds::No) {
            return Ok(());
        }
        let mut row = HEADINGS + number(self.table.rows.len()) + 2;
        self.dollars(sheet, row)?;
        if let Some(place) = self.table.place("currency") {
            for currency in self.currencies(place) {
                row += 1;
                self.of_currency(sheet, row, (place, &currency))?;
            }
        }
        Ok(())
    }

    /// The total of every column of dollars.
    fn dollars(&self, sheet: &mut Worksheet, row: u32) -> Result<(), XlsxError> {
        for place in self.adding(Adds::All) {
            let of = self.language.pick(
                "USD, sum of rounded amounts",
                "USD, somme de montants arrondis",
            );
            self.label(sheet, row, of)?;
            let formula = match self.without_memos() {
                None => format!("SUM({})", self.range(place)),
                Some(judged) => format!("SUMIFS({}{judged})", self.range(place)),
            };
            self.formula(sheet, (row, place), formula, |cells| self.is_judged(cells))?;
        }
        Ok(())
    }

    /// The total of every column of local currency, for one of them.
    fn of_currency(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        (of, currency): (usize, &str),
    ) -> Result<(), XlsxError> {
        self.label(sheet, row, currency)?;
        for place in self.adding(Adds::ByCurrency) {
            let formula = format!(
                "SUMIFS({},{},\"{currency}\"{})",
                self.range(place),
                self.range(of),
                self.without_memos().unwrap_or_default()
            );
            let is_added = |cells: &[Cell]| match cells.get(of) {
                Some(Cell::Text(text)) => *text == currency && self.is_judged(cells),
                _ => false,
            };
            self.formula(sheet, (row, place), formula, is_added)?;
        }
        Ok(())
    }

    /// Places of the columns that are added in one way.
    fn adding(&self, adds: Adds) -> impl Iterator<Item = usize> {
        let columns = self.table.columns.iter().enumerate();
        columns.filter_map(move |(place, column)| (column.adds == adds).then_some(place))
    }

    fn label(&self, sheet: &mut Worksheet, row: u32, of: &str) -> Result<(), XlsxError> {
        let word = self
            .language
            .pick("Total of the rows above", "Total des lignes ci-dessus");
        let memos = match self.table.place("memo") {
            Some(_) => self
                .language
                .pick(" without memos", " hors lignes pour mémoire"),
            None => "",
        };
        let label = format!("{word}{memos} {of}");
        sheet.write_string_with_format(row, 0, label, &self.formats.total)?;
        Ok(())
    }

    /// The rows of a column, as a formula names them.
    fn range(&self, place: usize) -> String {
        let (first, last) = (HEADINGS + 2, HEADINGS + 1 + number(self.table.rows.len()));
        let letter = letters(self.at(place));
        format!("{letter}{first}:{letter}{last}")
    }

    /// The condition of a formula that leaves memos out, where the table has any.
    fn without_memos(&self) -> Option<String> {
        let place = self.table.place("memo")?;
        let no = self.language.yes_no(false);
        Some(format!(",{},\"{no}\"", self.range(place)))
    }

    fn is_judged(&self, cells: &[Cell]) -> bool {
        let no = Cell::from(self.language.yes_no(false));
        let place = self.table.place("memo");
        place.is_none_or(|place| cells.get(place) == Some(&no))
    }

    /// Currencies that may stand in a formula: letters and digits only.
    fn currencies(&self, place: usize) -> BTreeSet<String> {
        let cells = self.table.rows.iter().filter_map(|row| row.get(place));
        let texts = cells.filter_map(|cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        });
        let is_plain =
            |text: &String| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
        texts.filter(is_plain).collect()
    }

    /// A formula with what it comes to, for readers that do not compute.
    fn formula(
        &self,
        sheet: &mut Worksheet,
        (row, place): (u32, usize),
        formula: String,
        is_added: impl Fn(&[Cell]) -> bool,
    ) -> Result<(), XlsxError> {
        let rows = self.table.rows.iter().filter(|cells| is_added(cells));
        let amounts = rows.filter_map(|cells| match cells.get(place) {
            Some(Cell::Amount(amount)) => Some(*amount),
            _ => None,
        });
        let kind = self
            .table
            .columns
            .get(place)
            .map_or(Kind::Number, |column| column.kind);
        let format = self.formats.of(kind).clone().set_bold();
        let formula = match sum(amounts) {
            Some(sum) => Formula::new(formula).set_result(sum.to_string()),
            None => Formula::new(formula),
        };
        sheet.write_formula_with_format(row, self.at(place), formula, &format)?;
        Ok(())
    }
}
