//! CSV files: fields, quotes and lines, with the line number of every row.
//!
//! Written here because a reader must tell `""` (an empty text) from nothing (null), and name the line of what it refuses.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use crate::sandbox::data::Table;

use super::builder::{TableBuilder, table};
use super::encoding::decode;
use super::schema::{CsvForm, TableSchema};
use super::{AtLine, FileError, LineKind};

/// The table of a CSV file.
pub(super) fn read(
    name: [String; 3],
    path: &Path,
    schema: &TableSchema,
) -> Result<Table, FileError> {
    let form = schema.csv.clone().unwrap_or_default();
    let at = |(line, what): AtLine| FileError::new(path, what).at(LineKind::Line, line);
    let bytes = fs::read(path).map_err(|io| FileError::unreadable(path, &io))?;
    let text = decode(bytes, form.encoding).map_err(at)?;
    let mut lines = Lines::new(&text, &form);
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(schema.columns.len());
    if form.header {
        let line = lines.next(&mut fields).map_err(at)?;
        if line.is_none() {
            let what =
                "the file is empty; its first line must name the columns, or say header = false";
            return Err(FileError::new(path, what));
        }
        let names: Vec<&str> = fields.iter().map(|field| field.text.as_ref()).collect();
        schema.require(path, &names)?;
    }
    let mut rows = TableBuilder::new(path, &schema.columns)?;
    while let Some(line) = lines.next(&mut fields).map_err(at)? {
        if fields.len() != schema.columns.len() {
            let what = format!(
                "{} fields, where {} columns are declared; check the delimiter ({:?}) and the quotes",
                fields.len(),
                schema.columns.len(),
                form.delimiter
            );
            return Err(at((line, what)));
        }
        let values = fields.iter().map(|field| {
            let null = !field.quoted && field.text == form.null;
            (!null).then_some(field.text.as_ref())
        });
        rows.push(values, line)?;
    }
    table(path, name, schema.columns.clone(), rows.finish()?)
}

#[derive(Debug, PartialEq)]
struct Field<'a> {
    text: Cow<'a, str>,
    quoted: bool,
}

/// What ended a field.
#[derive(PartialEq)]
enum End {
    Delimiter,
    Line,
}

/// The lines of a text, field by field.
struct Lines<'a> {
    rest: &'a str,
    /// Line of `rest`, from 1.
    line: usize,
    delimiter: char,
    quotes: bool,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, form: &CsvForm) -> Self {
        Self {
            rest: text,
            line: 1,
            delimiter: form.delimiter,
            quotes: form.quotes,
        }
    }

    /// Reads the fields of the next line and gives its number; `None` at the end of the text.
    fn next(&mut self, fields: &mut Vec<Field<'a>>) -> Result<Option<usize>, AtLine> {
        fields.clear();
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            let (field, end) = match self.rest.strip_prefix('"') {
                Some(rest) if self.quotes => self.quoted(rest)?,
                _ => self.plain(),
            };
            fields.push(field);
            if end == End::Line {
                return Ok(Some(line));
            }
        }
    }

    fn plain(&mut self) -> (Field<'a>, End) {
        let at = self.rest.find([self.delimiter, '\n']);
        let (text, rest) = self.rest.split_at(at.unwrap_or(self.rest.len()));
        self.rest = rest;
        let (text, end) = match rest.strip_prefix(self.delimiter) {
            Some(_) => (text, End::Delimiter),
            None => (text.strip_suffix('\r').unwrap_or(text), End::Line),
        };
        self.step(&end);
        let field = Field {
            text: Cow::Borrowed(text),
            quoted: false,
        };
        (field, end)
    }

    /// A field whose opening quote has been taken: `rest` follows it.
    fn quoted(&mut self, rest: &'a str) -> Result<(Field<'a>, End), AtLine> {
        let opened = self.line;
        let mut text = Cow::Borrowed("");
        self.rest = rest;
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                let what = "a quote is opened and never closed; close it, double it if it belongs to the text, or say \
                            quotes = false";
                return Err((opened, what.to_owned()));
            };
            self.line += part.matches('\n').count();
            append(&mut text, part);
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    append(&mut text, "\"");
                    self.rest = rest;
                }
                None => break,
            }
        }
        let end = if self.rest.starts_with(self.delimiter) {
            End::Delimiter
        } else if self.rest.is_empty() || self.rest.starts_with('\n') {
            End::Line
        } else if let Some(rest) = self.rest.strip_prefix("\r\n") {
            self.rest = rest;
            self.line += 1;
            return Ok((Field { text, quoted: true }, End::Line));
        } else {
            let what = "text follows a closing quote; double the quotes that belong to the text, or say quotes = false";
            return Err((self.line, what.to_owned()));
        };
        self.step(&end);
        Ok((Field { text, quoted: true }, end))
    }

    /// Steps over what ended a field.
    fn step(&mut self, end: &End) {
        let mut chars = self.rest.chars();
        let ended = chars.next();
        self.rest = chars.as_str();
        self.line += usize::from(*end == End::Line && ended.is_some());
    }
}

fn append<'a>(text: &mut Cow<'a, str>, part: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(part);
    } else {
        text.to_mut().push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line and fields, quoted ones marked.
    type Row = (usize, Vec<String>);

    fn all(text: &str, form: &CsvForm) -> Result<Vec<Row>, AtLine> {
        let (mut lines, mut fields, mut found) = (Lines::new(text, form), Vec::new(), Vec::new());
        while let Some(line) = lines.next(&mut fields)? {
            let show = |f: &Field<'_>| {
                let mark = if f.quoted { "q:" } else { "" };
                format!("{mark}{}", f.text)
            };
            found.push((line, fields.iter().map(show).collect()));
        }
        Ok(found)
    }

    fn row(line: usize, fields: &[&str]) -> Row {
        (line, fields.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn fields_quotes_and_line_numbers() {
        let form = CsvForm::default();
        let text = "a,\"b\",\r\n\"x\ny\",\"say \"\"hi\"\"\",\"\"\r\n5\" pipe,,z\n";
        assert_eq!(
            all(text, &form).unwrap(),
            [
                row(1, &["a", "q:b", ""]),
                row(2, &["q:x\ny", "q:say \"hi\"", "q:"]),
                row(4, &["5\" pipe", "", "z"]),
            ]
        );
        assert_eq!(all("a,b", &form).unwrap(), [row(1, &["a", "b"])]);
        assert_eq!(all("a,", &form).unwrap(), [row(1, &["a", ""])]);
        assert_eq!(all("\"a\"", &form).unwrap(), [row(1, &["q:a"])]);
        assert_eq!(all("\"\"\"\"", &form).unwrap(), [row(1, &["q:\""])]);
        assert_eq!(all("", &form).unwrap(), []);
        assert_eq!(all("\n\n", &form).unwrap(), [row(1, &[""]), row(2, &[""])]);
    }

    #[test]
    fn without_quotes_every_character_is_one() {
        let form = CsvForm {
            delimiter: '|',
            quotes: false,
            ..CsvForm::default()
        };
        assert_eq!(all("\"a|b\"\n", &form).unwrap(), [row(1, &["\"a", "b\""])]);
    }

    #[test]
    fn broken_quotes_name_their_line() {
        let form = CsvForm::default();
        for (text, line, part) in [
            ("a,b\nc,\"d\n\n", 2, "never closed"),
            ("\"a\nb\"c,d\n", 2, "follows a closing quote"),
        ] {
            let (found, what) = all(text, &form).unwrap_err();
            assert!(found == line && what.contains(part), "{found}: {what}");
        }
    }
}
