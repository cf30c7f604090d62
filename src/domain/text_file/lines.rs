//! Fields, quotes and lines, with the line number of every row, of a text that comes in pieces.
//!
//! Written here because a reader must tell `""` (an empty text) from nothing (null), and name the line of what it refuses.

use std::borrow::Cow;

use super::AtLine;
use super::encoding::{Decoder, Encoding};

/// How fields stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineForm {
    /// Between two fields.
    pub delimiter: char,
    /// Whether `"` encloses fields; otherwise it is a character like any other.
    pub quotes: bool,
}

/// One field of a line.
#[derive(Debug, PartialEq)]
pub struct Field<'a> {
    /// Without its quotes.
    pub text: Cow<'a, str>,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// The lines of a file whose bytes come in pieces: [`Feed::push`] them, read the whole ones off [`Feed::lines`], say
/// with [`Feed::keep`] what was read.
#[derive(Debug)]
pub struct Feed {
    decoder: Decoder,
    form: LineForm,
    text: String,
    line: usize,
    ended: bool,
    line_bytes_max: usize,
}

impl Feed {
    /// Nothing seen yet. A line of more than `line_bytes_max` bytes is refused: its end would be looked for in all that
    /// follows.
    #[must_use]
    pub fn new(encoding: Encoding, form: LineForm, line_bytes_max: usize) -> Self {
        Self {
            decoder: Decoder::new(encoding),
            form,
            text: String::new(),
            line: 1,
            ended: false,
            line_bytes_max,
        }
    }

    /// Takes the next bytes; none of them is the end of the file.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), AtLine> {
        if bytes.is_empty() {
            self.ended = true;
            return self.decoder.finish(&mut self.text);
        }
        self.decoder.push(bytes, &mut self.text)
    }

    /// Whether a character beyond ASCII was seen.
    #[must_use]
    pub fn has_wide(&self) -> bool {
        self.decoder.has_wide()
    }

    /// The lines that are whole.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            rest: &self.text,
            line: self.line,
            form: self.form,
            ended: self.ended,
        }
    }

    /// Forgets all but what `lines` had left when it was asked by [`Lines::left`].
    ///
    /// # Errors
    /// A line that is too long.
    pub fn keep(&mut self, (bytes, line): (usize, usize)) -> Result<(), AtLine> {
        let read = self.text.len().saturating_sub(bytes);
        self.text.drain(..read);
        self.line = line;
        if self.text.len() > self.line_bytes_max {
            let what = format!(
                "the line has more than {} bytes: a quote is opened here and never closed, or the file is another one",
                self.line_bytes_max
            );
            return Err((line, what));
        }
        Ok(())
    }

    /// Line that follows what was kept, from 1: at the end of the file one more than it has lines.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// What ended a field.
#[derive(PartialEq)]
enum End {
    Delimiter,
    Line,
}

/// The whole lines of a text, field by field.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a str,
    /// Line of `rest`, from 1.
    line: usize,
    form: LineForm,
    /// Whether nothing follows `rest`.
    ended: bool,
}

impl<'a> Lines<'a> {
    /// The lines of a text that is whole.
    #[must_use]
    pub fn of(text: &'a str, form: LineForm) -> Self {
        Self {
            rest: text,
            line: 1,
            form,
            ended: true,
        }
    }

    /// Bytes that are not read yet, and the line that they begin with.
    #[must_use]
    pub fn left(&self) -> (usize, usize) {
        (self.rest.len(), self.line)
    }

    /// Reads the fields of the next line and gives its number; `None` when no other line is whole.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong.
    pub fn next(&mut self, fields: &mut Vec<Field<'a>>) -> Result<Option<usize>, AtLine> {
        fields.clear();
        if self.rest.is_empty() {
            return Ok(None);
        }
        let begun = (self.rest, self.line);
        loop {
            let found = match self.rest.strip_prefix('"') {
                Some(rest) if self.form.quotes => self.quoted(rest)?,
                _ => self.plain(),
            };
            let Some((field, end)) = found else {
                (self.rest, self.line) = begun;
                fields.clear();
                return Ok(None);
            };
            fields.push(field);
            if end == End::Line {
                return Ok(Some(begun.1));
            }
        }
    }

    /// A field without quotes; `None` when its end is still to come.
    fn plain(&mut self) -> Option<(Field<'a>, End)> {
        let at = self.rest.find([self.form.delimiter, '\n']);
        if at.is_none() && !self.ended {
            return None;
        }
        let (text, rest) = self.rest.split_at(at.unwrap_or(self.rest.len()));
        self.rest = rest;
        let (text, end) = match rest.strip_prefix(self.form.delimiter) {
            Some(_) => (text, End::Delimiter),
            None => (text.strip_suffix('\r').unwrap_or(text), End::Line),
        };
        self.step(&end);
        let field = Field {
            text: Cow::Borrowed(text),
            quoted: false,
        };
        Some((field, end))
    }

    /// A field whose opening quote has been taken: `rest` follows it. `None` when its end is still to come.
    fn quoted(&mut self, rest: &'a str) -> Result<Option<(Field<'a>, End)>, AtLine> {
        let opened = self.line;
        let mut text = Cow::Borrowed("");
        self.rest = rest;
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                if !self.ended {
                    return Ok(None);
                }
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
        if !self.ended && matches!(self.rest, "" | "\r") {
            return Ok(None);
        }
        let end = if self.rest.starts_with(self.form.delimiter) {
            End::Delimiter
        } else if self.rest.is_empty() || self.rest.starts_with('\n') {
            End::Line
        } else if let Some(rest) = self.rest.strip_prefix("\r\n") {
            self.rest = rest;
            self.line += 1;
            return Ok(Some((Field { text, quoted: true }, End::Line)));
        } else {
            let what = "text follows a closing quote; double the quotes that belong to the text, or say quotes = false";
            return Err((self.line, what.to_owned()));
        };
        self.step(&end);
        Ok(Some((Field { text, quoted: true }, end)))
    }

    /// Steps over what ended a field; the end of the text ends a line too.
    fn step(&mut self, end: &End) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
        self.line += usize::from(*end == End::Line);
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

    const COMMA: LineForm = LineForm {
        delimiter: ',',
        quotes: true,
    };

    /// Reads a text that comes in pieces of `len` bytes.
    fn in_pieces(text: &str, form: LineForm, len: usize) -> Result<Vec<Row>, AtLine> {
        let mut feed = Feed::new(Encoding::Utf8, form, 1 << 10);
        let mut found = Vec::new();
        for piece in text.as_bytes().chunks(len).chain([&[][..]]) {
            feed.push(piece)?;
            let (mut lines, mut fields) = (feed.lines(), Vec::new());
            while let Some(line) = lines.next(&mut fields)? {
                let show = |f: &Field<'_>| {
                    let mark = if f.quoted { "q:" } else { "" };
                    format!("{mark}{}", f.text)
                };
                found.push((line, fields.iter().map(show).collect()));
            }
            let left = lines.left();
            feed.keep(left)?;
        }
        Ok(found)
    }

    fn all(text: &str, form: LineForm) -> Result<Vec<Row>, AtLine> {
        let whole = in_pieces(text, form, 1 << 10);
        for len in [1, 2, 7] {
            assert_eq!(in_pieces(text, form, len), whole, "by {len}");
        }
        whole
    }

    fn row(line: usize, fields: &[&str]) -> Row {
        (line, fields.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn fields_quotes_and_line_numbers() {
        let text = "a,\"b\",\r\n\"x\ny\",\"say \"\"hi\"\"\",\"\"\r\n5\" pipe,,z\n";
        assert_eq!(
            all(text, COMMA).unwrap(),
            [
                row(1, &["a", "q:b", ""]),
                row(2, &["q:x\ny", "q:say \"hi\"", "q:"]),
                row(4, &["5\" pipe", "", "z"]),
            ]
        );
        assert_eq!(all("a,b", COMMA).unwrap(), [row(1, &["a", "b"])]);
        assert_eq!(all("a,", COMMA).unwrap(), [row(1, &["a", ""])]);
        assert_eq!(all("\"a\"", COMMA).unwrap(), [row(1, &["q:a"])]);
        assert_eq!(all("\"\"\"\"", COMMA).unwrap(), [row(1, &["q:\""])]);
        assert_eq!(all("", COMMA).unwrap(), []);
        assert_eq!(all("\n\n", COMMA).unwrap(), [row(1, &[""]), row(2, &[""])]);
    }

    #[test]
    fn without_quotes_every_character_is_one() {
        let form = LineForm {
            delimiter: '|',
            quotes: false,
        };
        assert_eq!(all("\"a|b\"\n", form).unwrap(), [row(1, &["\"a", "b\""])]);
    }

    #[test]
    fn broken_quotes_name_their_line() {
        for (text, line, part) in [
            ("a,b\nc,\"d\n\n", 2, "never closed"),
            ("\"a\nb\"c,d\n", 2, "follows a closing quote"),
        ] {
            let (found, what) = all(text, COMMA).unwrap_err();
            assert!(found == line && what.contains(part), "{found}: {what}");
        }
    }

    #[test]
    fn a_line_that_does_not_end_is_refused_before_all_of_it_is_held() {
        let text = format!("a,b\n\"{}", "x\n".repeat(2_000));
        let (line, what) = in_pieces(&text, COMMA, 100).unwrap_err();
        assert!(line == 2 && what.contains("1024 bytes"), "{line}: {what}");
        let fits = format!("a,b\n\"{}\"\n", "x\n".repeat(500));
        assert_eq!(in_pieces(&fits, COMMA, 100).unwrap().len(), 2);
    }
}
