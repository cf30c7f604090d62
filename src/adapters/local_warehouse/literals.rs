//! Numbers with a fraction in a statement, made exact: SQL says that `12.50` is a decimal, Polars makes it a float.
//!
//! A comparison with a float finds other rows: seen with Polars 0.55.2, `amount = 12919.51` finds none where there are
//! two, and COALESCE(amount, 0.0) turns a whole column into floats. `1.5e0` is a float in SQL and stays one.

/// Writes every number with a fraction as a decimal.
pub(super) fn exact(sql: &str) -> String {
    let mut exact = String::with_capacity(sql.len());
    let mut rest = 0;
    for Fraction { start, end, scale } in fractions(sql) {
        let number = sql.get(start..end).unwrap_or_default();
        exact.push_str(sql.get(rest..start).unwrap_or_default());
        exact.push_str(&format!("CAST('{number}' AS DECIMAL(38, {scale}))"));
        rest = end;
    }
    exact.push_str(sql.get(rest..).unwrap_or_default());
    exact
}

/// A number with a point, by its place in the statement.
struct Fraction {
    start: usize,
    end: usize,
    /// Digits behind the point.
    scale: usize,
}

/// The numbers with a point; not in texts, names and comments, and none with an exponent.
fn fractions(sql: &str) -> Vec<Fraction> {
    let mut found = Vec::new();
    let mut at = 0;
    // Behind a name a point begins a column, not a number.
    let mut behind_name = false;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        let (length, is_name) = match first {
            '\'' => (quoted(rest, '\''), false),
            '"' | '`' => (quoted(rest, first), true),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => {
                (rest.find("*/").map_or(rest.len(), |end| end + 2), false)
            }
            c if c.is_alphabetic() || c == '_' => (span(rest, is_name_letter), true),
            c if c.is_ascii_digit() || c == '.' && !behind_name => {
                let number = number(rest);
                found.extend(number.scale.map(|scale| Fraction {
                    start: at,
                    end: at + number.length,
                    scale,
                }));
                (number.length.max(1), false)
            }
            other => (other.len_utf8(), other == ')' || other == ']'),
        };
        behind_name = is_name;
        at += length;
    }
    found
}

struct Number {
    length: usize,
    /// Digits behind the point; `None` for whole numbers and floats.
    scale: Option<usize>,
}

fn number(text: &str) -> Number {
    let digits = |text: &str| span(text, |c| c.is_ascii_digit());
    let whole = digits(text);
    let behind = text.get(whole..).unwrap_or_default();
    let Some(fraction) = behind.strip_prefix('.') else {
        // `1e5` and the like end with the letters that follow.
        let length = whole + span(behind, is_name_letter);
        return Number {
            length,
            scale: None,
        };
    };
    let scale = digits(fraction);
    let tail = span(fraction.get(scale..).unwrap_or_default(), is_name_letter);
    Number {
        length: whole + 1 + scale + tail,
        scale: (tail == 0 && whole + scale > 0).then_some(scale),
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "_$@#".contains(letter)
}

/// Bytes up to the first letter that is none of these.
fn span(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// Bytes of a quoted text with its quotes; a doubled quote is read as two texts beside each other.
fn quoted(text: &str, quote: char) -> usize {
    let inner = text.get(1..).unwrap_or_default();
    inner.find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_become_decimals() {
        for (sql, expected) in [
            ("a = 12.50", "a = CAST('12.50' AS DECIMAL(38, 2))"),
            (
                "-.5+1.",
                "-CAST('.5' AS DECIMAL(38, 1))+CAST('1.' AS DECIMAL(38, 0))",
            ),
            (
                "a IN (1.5, 2.125)",
                "a IN (CAST('1.5' AS DECIMAL(38, 1)), CAST('2.125' AS DECIMAL(38, 3)))",
            ),
            ("(1.5)", "(CAST('1.5' AS DECIMAL(38, 1)))"),
        ] {
            assert_eq!(exact(sql), expected);
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for sql in [
            "SELECT 1, 25 FROM t1 LIMIT 5",
            "SELECT t1.a, \"x 1.5\".b, `q`.c FROM t$202404",
            "SELECT '1.5', 'it''s 2.5' -- 3.5\n, /* 4.5 */ 1",
            "SELECT 1.5e0, 2E3, 1.5e3x",
            "FROM \"IPE_07@20240501T090000Z-1a2b3c4d\" WHERE a = 'é 1.5",
            "",
        ] {
            assert_eq!(exact(sql), sql);
        }
    }
}
