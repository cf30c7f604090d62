//! Texts of servers without the values that they quote.

/// The text with everything from its first quote to its last one taken out; behind a single one nothing is left.
///
/// Servers quote values of rows in their messages, and not all of them double or escape the quotes inside a value. So
/// what stands between two quoted values goes with them: which quote closes which is nothing that a text says.
#[must_use]
pub fn unquoted(text: &str) -> String {
    let quotes = ['\'', '"'];
    let Some((head, _)) = text.split_once(quotes) else {
        return text.to_owned();
    };
    let quote = text.get(head.len()..).and_then(|rest| rest.chars().next());
    let quote = quote.map(String::from).unwrap_or_default();
    match text
        .get(head.len() + quote.len()..)
        .and_then(|rest| rest.rsplit_once(quotes))
    {
        Some((_, tail)) => format!("{head}{quote}…{quote}{tail}"),
        None => format!("{head}{quote}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_taken_out_and_words_stay() {
        for (text, expected) in [
            (
                "Conversion failed when converting the varchar value 'SENTINEL' to data type int.",
                "Conversion failed when converting the varchar value '…' to data type int.",
            ),
            (
                "Could not parse 'SENTINEL' as INT64, \"SENTINEL\" neither",
                "Could not parse '…' neither",
            ),
            ("open 'SENTINEL", "open '…"),
            ("no quotes 42", "no quotes 42"),
            ("ż 'SENTINEL' ż", "ż '…' ż"),
            ("", ""),
        ] {
            assert_eq!(unquoted(text), expected);
        }
    }

    #[test]
    fn quotes_inside_a_value_do_not_end_it() {
        for text in [
            "the varchar value 'O'SENTINEL 1' to int",
            "the value 'O''SENTINEL 1' to int",
            "the value 'O\\'SENTINEL 1' to int",
            "the value \"O'SENTINEL\" to int",
            "it doesn't take 'SENTINEL' for int",
        ] {
            let shown = unquoted(text);
            assert!(!shown.contains("SENTINEL"), "{shown}");
            assert!(shown.ends_with("int"), "{shown}");
        }
    }
}
