//! Comparisons that the engine would make as texts, found in the text of a plan.
//!
//! Seen with Polars 0.55.2: `amount = '12.51'` turns the amounts into texts with all their digits, and finds none. Where
//! a comparison of texts is meant, the statement says CAST, which a plan shows as `strict_cast`.
//!
//! Reads a plan that nothing has optimised yet; knows no engine.

/// What the engine adds behind a value that it compares as text.
const AS_TEXT: &str = ".cast(String)";

const COMPARISONS: [&str; 8] = ["==", "==v", "!=", "!=v", "<", "<=", ">", ">="];

/// The first column that is no text and is compared as one; of an expression its first column.
pub(super) fn as_text(plan: &str) -> Option<String> {
    let bare = without_quoted(plan);
    bare.match_indices(AS_TEXT).find_map(|(end, _)| {
        let begin = operand(bare.get(..end)?);
        let behind = bare.get(end + AS_TEXT.len()..)?.strip_prefix(' ');
        let next = behind.and_then(|behind| behind.split(' ').next());
        let before = bare.get(..begin)?.strip_suffix(' ');
        let last = before.and_then(|before| before.rsplit(' ').next());
        let is_compared = [next, last]
            .into_iter()
            .flatten()
            .any(|word| COMPARISONS.contains(&word));
        is_compared.then(|| column(plan.get(begin..end).unwrap_or_default()))
    })
}

/// Where the operand begins that ends here: behind a blank or a bracket that it does not close.
fn operand(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices().rev() {
        match letter {
            ')' | ']' => depth += 1,
            '(' | '[' | ' ' if depth == 0 => return at + 1,
            '(' | '[' => depth -= 1,
            _ => {}
        }
    }
    0
}

/// The name in the first `col("…")`.
fn column(operand: &str) -> String {
    let name = operand.split_once("col(\"");
    let name = name.and_then(|(_, behind)| behind.split_once("\")"));
    name.map_or_else(
        || "an expression".to_owned(),
        |(name, _)| format!("column `{name}`"),
    )
}

/// The same text, byte by byte, with nothing in its double quotes but letters.
fn without_quoted(plan: &str) -> String {
    let mut is_quoted = false;
    let mut bare = String::with_capacity(plan.len());
    for letter in plan.chars() {
        if letter == '"' {
            is_quoted = !is_quoted;
        }
        if is_quoted && letter != '"' {
            bare.extend(std::iter::repeat_n('x', letter.len_utf8()));
        } else {
            bare.push(letter);
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_compared_as_text_is_named_on_either_side() {
        let amount = Some("column `amount`".to_owned());
        for plan in [
            r#"FILTER col("amount").cast(String) == "12.51""#,
            r#"FILTER [(col("a") == 1) & ("12.51" <= col("amount").cast(String))]"#,
            r#"SELECT [when(col("amount").cast(String) > "x y").then(1)]"#,
            r#"FILTER ((col("amount")) + (col("fee"))).cast(String) !=v "1""#,
            r#"FILTER col("amount").sum().cast(String) < "1""#,
            r#"FILTER (col("note") == "é (") & (col("amount").cast(String) == "1")"#,
        ] {
            assert_eq!(as_text(plan), amount, "{plan}");
        }
        let nameless = r#"FILTER len().cast(String) == "1""#;
        assert_eq!(as_text(nameless).as_deref(), Some("an expression"));
    }

    #[test]
    fn texts_and_casts_that_are_meant_may_be_compared() {
        for plan in [
            r#"FILTER col("amount") == 12.51"#,
            r#"FILTER col("note") == "12.51""#,
            r#"FILTER col("amount").strict_cast(String) == "12.51""#,
            r#"SELECT [col("amount").cast(String).alias("a"), col("b")]"#,
            r#"SELECT [coalesce(col("amount").cast(String), "none")]"#,
            r#"FILTER col("note") == "col("amount").cast(String) == 1""#,
            "",
        ] {
            assert_eq!(as_text(plan), None, "{plan}");
        }
    }
}
