//! SQL text for BigQuery: the table of a contract, what is counted in one of its months, and the sums and
//! variances of the reconciliation.
//!
//! May use the contract and the value types of `ports`. Never runs anything, and writes no value of a row into a text:
//! names come from contracts, which allow letters, digits and `_`, months are dates, and values those of rules, quoted.

pub mod job;
pub mod read_back;
pub mod sums;
pub mod table;
pub mod variances;

use crate::domain::contract::ColumnType;

/// Fraction digits up to which an exact number is NUMERIC, and digits before the point.
///
/// # Source
/// The table "Text of a value" of the digest specification, ADR-0007; these are the sizes of BigQuery's NUMERIC.
const NUMERIC_SCALE_MAX: u8 = 9;
const NUMERIC_WHOLE_MAX: u8 = 29;

/// A table in a dataset, as a statement names it.
#[must_use]
pub fn full_name(project: &str, dataset: &str, table: &str) -> String {
    format!("`{project}.{dataset}.{table}`")
}

/// The type of a column with its parameters, as `INFORMATION_SCHEMA.COLUMNS` writes it.
#[must_use]
pub fn data_type(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Bool => "BOOL".to_owned(),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 => "INT64".to_owned(),
        ColumnType::Decimal { precision, scale } => {
            let whole = precision.saturating_sub(scale);
            let fits = scale <= NUMERIC_SCALE_MAX && whole <= NUMERIC_WHOLE_MAX;
            let name = if fits { "NUMERIC" } else { "BIGNUMERIC" };
            format!("{name}({precision}, {scale})")
        }
        ColumnType::Float32 | ColumnType::Float64 => "FLOAT64".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::DateTime => "DATETIME".to_owned(),
        ColumnType::DateTimeUtc => "TIMESTAMP".to_owned(),
        ColumnType::Time => "TIME".to_owned(),
        ColumnType::Text => "STRING".to_owned(),
        ColumnType::Binary => "BYTES".to_owned(),
    }
}

/// A text as a literal.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(precision: u8, scale: u8) -> String {
        data_type(ColumnType::Decimal { precision, scale })
    }

    #[test]
    fn decimals_are_numeric_as_long_as_they_fit() {
        assert_eq!(decimal(38, 9), "NUMERIC(38, 9)");
        assert_eq!(decimal(19, 4), "NUMERIC(19, 4)");
        assert_eq!(decimal(29, 0), "NUMERIC(29, 0)");
        assert_eq!(decimal(30, 0), "BIGNUMERIC(30, 0)");
        assert_eq!(decimal(11, 10), "BIGNUMERIC(11, 10)");
        assert_eq!(decimal(38, 20), "BIGNUMERIC(38, 20)");
    }

    #[test]
    fn a_text_stays_inside_its_quotes() {
        assert_eq!(
            literal("l'été\\\n\u{7}x' OR 1"),
            "'l\\'été\\\\\\n x\\' OR 1'"
        );
    }
}
