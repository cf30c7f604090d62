//! T-SQL as a row of tokens: what is code, apart from strings, comments, bracketed and quoted names.
//!
//! Lexical only: it knows no grammar, so it never refuses a statement that it does not understand.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Keyword or bare name.
    Word,
    /// Numeric literal.
    Number,
    /// String literal with its quotes.
    Text,
    /// Name in brackets or double quotes, with them.
    Name,
    /// `@name`.
    Param,
    /// `@@name`.
    System,
    /// Placeholder of another system: `?`, `{x}`, `${x}`, `%s`, `%(x)s`.
    Marker,
    /// Any other character.
    Mark,
}

/// One token; comments and blanks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text, as it stands.
    pub text: &'a str,
    /// Byte offset of its beginning.
    pub start: usize,
}

impl Token<'_> {
    /// Byte offset behind it.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// True for this bare word, in any case.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// True for one of these bare words, given in upper case.
    #[must_use]
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// True for this character.
    #[must_use]
    pub fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    /// The name that it spells, without brackets or quotes; `None` for what cannot be a name.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let inner = || self.text.get(1..self.text.len().saturating_sub(1));
        match (self.kind, self.text.as_bytes().first()) {
            (Kind::Word, _) => Some(self.text.to_owned()),
            (Kind::Name, Some(b'[')) => inner().map(|name| name.replace("]]", "]")),
            (Kind::Name, _) => inner().map(|name| name.replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// A string, name or comment that never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclosed {
    /// Byte offset where it begins.
    pub start: usize,
    /// What was opened.
    pub what: &'static str,
}

/// Line and column of a byte offset, both from 1; columns count characters.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count() + 1, column + 1)
}

/// The tokens of a text, with offsets that begin at `offset`.
///
/// # Errors
/// [`Unclosed`] for a string, a name or a comment without its end.
pub fn lex(sql: &str, offset: usize) -> Result<Vec<Token<'_>>, Unclosed> {
    let bytes = sql.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut found = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let start = i;
        let open = |what| Unclosed {
            start: offset + start,
            what,
        };
        let kind = match at(i) {
            b'\'' => {
                i = close(bytes, i + 1, b'\'').ok_or_else(|| open("a string"))?;
                Kind::Text
            }
            b'[' => {
                i = close(bytes, i + 1, b']').ok_or_else(|| open("a bracketed name"))?;
                Kind::Name
            }
            b'"' => {
                i = close(bytes, i + 1, b'"').ok_or_else(|| open("a quoted name"))?;
                Kind::Name
            }
            b'-' if at(i + 1) == b'-' => {
                let rest = bytes.get(i..).unwrap_or_default();
                i += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if at(i + 1) == b'*' => {
                i = close_comment(bytes, i).ok_or_else(|| open("a comment"))?;
                continue;
            }
            b if b.is_ascii_whitespace() => {
                i += 1;
                continue;
            }
            _ => {
                let (kind, end) = plain(sql, i);
                i = end;
                kind
            }
        };
        found.push(Token {
            kind,
            text: sql.get(start..i).unwrap_or_default(),
            start: offset + start,
        });
    }
    Ok(found)
}

/// Kind and end of a token that is neither string, bracketed name, comment nor blank.
fn plain(sql: &str, i: usize) -> (Kind, usize) {
    let bytes = sql.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    if let Some(len) = marker(sql.get(i..).unwrap_or_default()) {
        return (Kind::Marker, i + len);
    }
    match at(i) {
        b'@' if at(i + 1) == b'@' => (Kind::System, word_end(bytes, i + 2)),
        b'@' => (Kind::Param, word_end(bytes, i + 1)),
        b'0'..=b'9' => {
            let rest = bytes.get(i..).unwrap_or_default();
            let is_digit = |b: &u8| b.is_ascii_alphanumeric() || *b == b'.';
            let len = rest.iter().position(|b| !is_digit(b));
            (Kind::Number, i + len.unwrap_or(rest.len()))
        }
        b if is_word(b) => (Kind::Word, word_end(bytes, i)),
        _ => (Kind::Mark, i + 1),
    }
}

/// Length of a placeholder of another system at the beginning of `rest`.
fn marker(rest: &str) -> Option<usize> {
    let braced = |from: usize| {
        let close = rest.get(from..)?.find('}');
        Some(close.map_or(from, |at| from + at + 1))
    };
    let ends_word = |at: usize| !rest.as_bytes().get(at).is_some_and(|b| is_word(*b));
    if rest.starts_with('?') {
        Some(1)
    } else if rest.starts_with("${") {
        braced(2)
    } else if rest.starts_with('{') {
        braced(1)
    } else if rest.starts_with("%s") || rest.starts_with("%d") {
        ends_word(2).then_some(2)
    } else if rest.starts_with("%(") {
        let close = rest.find(")s")? + 2;
        let inner = rest.get(2..close - 2)?;
        (inner.bytes().all(is_word) && ends_word(close)).then_some(close)
    } else {
        None
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'@') || byte >= 128
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len())
}

/// Position behind the closing quote; a doubled quote is part of the text.
fn close(bytes: &[u8], mut from: usize, quote: u8) -> Option<usize> {
    loop {
        let next = bytes.get(from..)?.iter().position(|b| *b == quote)? + from + 1;
        if bytes.get(next) != Some(&quote) {
            return Some(next);
        }
        from = next + 1;
    }
}

/// Position behind a comment; T-SQL comments nest.
fn close_comment(bytes: &[u8], mut i: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match (*bytes.get(i)?, bytes.get(i + 1).copied().unwrap_or(0)) {
            (b'/', b'*') => {
                depth += 1;
                i += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => i += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<(Kind, &str)> {
        let tokens = lex(sql, 0).unwrap();
        tokens
            .iter()
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[test]
    fn code_is_told_from_text_names_and_comments() {
        assert_eq!(
            kinds("SELECT [a]]?], 'it''s {x}' -- ?\n/* /* ? */ */ + @x, @@VERSION, été, 1.5"),
            [
                (Kind::Word, "SELECT"),
                (Kind::Name, "[a]]?]"),
                (Kind::Mark, ","),
                (Kind::Text, "'it''s {x}'"),
                (Kind::Mark, "+"),
                (Kind::Param, "@x"),
                (Kind::Mark, ","),
                (Kind::System, "@@VERSION"),
                (Kind::Mark, ","),
                (Kind::Word, "été"),
                (Kind::Mark, ","),
                (Kind::Number, "1.5"),
            ]
        );
    }

    #[test]
    fn placeholders_of_other_systems_are_markers_and_modulo_is_not() {
        for marker in ["?", "{gl}", "${gl}", "%s", "%d", "%(gl)s"] {
            let sql = format!("a = {marker}");
            assert_eq!(kinds(&sql).last(), Some(&(Kind::Marker, marker)), "{sql}");
        }
        for sql in ["a %size", "a % s", "a %(b)", "a %(b) s"] {
            let none = kinds(sql).iter().all(|(kind, _)| *kind != Kind::Marker);
            assert!(none, "{sql}");
        }
    }

    #[test]
    fn what_is_never_closed_says_where_it_begins() {
        for (sql, start) in [("a 'b", 2), ("ab [c", 3), ("\"c", 0), ("x /* /* */", 2)] {
            assert_eq!(lex(sql, 10).unwrap_err().start, 10 + start, "{sql}");
        }
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        assert_eq!(position("é b\nc", 0), (1, 1));
        assert_eq!(position("é b\nc", 3), (1, 3));
        assert_eq!(position("é b\nc", 5), (2, 1));
    }
}
