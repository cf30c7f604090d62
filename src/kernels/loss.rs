//! What carrying a column changes about its values, said before the first row.
//!
//! # Source
//! The table "Text of a value" of the digest specification, ADR-0007, and the decoding of `adapters/mssql`.

use crate::domain::sql_type::SqlType;
use crate::ports::SourceColumn;

use super::conform::refusal;

/// What is lost or refused, one sentence; `None` for types whose every value arrives as it is.
#[must_use]
pub fn loss(column: &SourceColumn) -> Option<String> {
    if column.column_type.is_none() {
        let page = column.collation.as_ref();
        let page = page.map_or_else(String::new, |name| format!(" (collation {name})"));
        return Some(format!("refused{page}: {}", refusal(column)));
    }
    let said = match column.parsed_type() {
        SqlType::DateTime2(7) | SqlType::Time(7) => {
            "the seventh fraction digit of a second (100 ns) is cut"
        }
        SqlType::DateTimeOffset(7) => {
            "kept as UTC without its offset; the seventh fraction digit of a second (100 ns) is cut"
        }
        SqlType::DateTimeOffset(_) => "kept as UTC without its offset",
        SqlType::Real | SqlType::Float => {
            "a float has no exact text: left out of the content digest, and never an amount"
        }
        SqlType::Money | SqlType::SmallMoney => {
            "the driver reads money as a float: values beyond 2^51 units are refused; CAST to decimal(19,4) carries all"
        }
        _ => return None,
    };
    Some(said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contract::ColumnType;

    fn said(sql_type: &str) -> Option<String> {
        let parsed: SqlType = sql_type.parse().unwrap();
        loss(&SourceColumn {
            ordinal: 0,
            name: "x".into(),
            sql_type: sql_type.into(),
            column_type: ColumnType::of(&parsed),
            nullable: true,
            collation: None,
        })
    }

    #[test]
    fn a_code_page_that_is_not_proven_is_refused_with_its_collation() {
        let mut column = SourceColumn {
            ordinal: 0,
            name: "x".into(),
            sql_type: "varchar(20)".into(),
            column_type: None,
            nullable: true,
            collation: Some("Cyrillic_General_CI_AS".into()),
        };
        let said = loss(&column).unwrap();
        assert!(
            said.contains("(collation Cyrillic_General_CI_AS)"),
            "{said}"
        );
        assert!(said.contains("CAST([x] AS nvarchar(4000))"), "{said}");
        column.column_type = Some(ColumnType::Text);
        assert_eq!(loss(&column), None);
    }

    #[test]
    fn every_loss_is_said_and_nothing_else() {
        for (sql_type, part) in [
            ("datetime2(7)", "100 ns"),
            ("time(7)", "100 ns"),
            ("datetimeoffset(7)", "without its offset; the seventh"),
            ("datetimeoffset(3)", "without its offset"),
            ("float", "digest"),
            ("money", "decimal(19,4)"),
            ("xml", "write CAST([x] AS nvarchar(max))"),
        ] {
            assert!(said(sql_type).unwrap().contains(part), "{sql_type}");
        }
        for sql_type in [
            "datetime2(6)",
            "datetime",
            "decimal(38,20)",
            "nvarchar(max)",
            "date",
            "bit",
        ] {
            assert_eq!(said(sql_type), None, "{sql_type}");
        }
    }
}
