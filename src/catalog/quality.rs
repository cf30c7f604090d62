//! The section `[quality]` of `ipe.toml` as people write it, checked against the contract.

use serde::Deserialize;
use toml::Spanned;

use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::quality::{ColumnRule, DayBound, Meaning, QualityRules, SumRule};

use super::{CatalogError, ItemFiles};

/// Rules of the rows and of columns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QualityToml {
    rows_min: Option<u64>,
    rows_max: Option<u64>,
    #[serde(default)]
    column: Vec<ColumnRuleToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnRuleToml {
    name: Spanned<String>,
    sum: Option<SumRule>,
    min: Option<Amount>,
    max: Option<Amount>,
    from: Option<String>,
    before: Option<String>,
    meaning: Option<Meaning>,
}

/// The section as rules that fit the contract.
pub(super) fn definition(
    toml: Option<QualityToml>,
    files: &ItemFiles,
    contract: &Contract,
) -> Result<QualityRules, CatalogError> {
    let Some(toml) = toml else {
        return Ok(QualityRules::default());
    };
    let wrong = |what: String| CatalogError::new(files.toml_place(), format!("[quality]: {what}"));
    if toml
        .rows_min
        .zip(toml.rows_max)
        .is_some_and(|(min, max)| min > max)
    {
        return Err(wrong("rows_min is above rows_max; swap them".to_owned()));
    }
    let mut columns: Vec<ColumnRule> = Vec::new();
    for one in toml.column {
        let rule = rule(one, contract).map_err(wrong)?;
        if columns.iter().any(|known| known.column == rule.column) {
            let what = format!("column `{}` has two rules; write one", rule.column);
            return Err(wrong(what));
        }
        columns.push(rule);
    }
    Ok(QualityRules {
        rows_min: toml.rows_min,
        rows_max: toml.rows_max,
        columns,
    })
}

fn rule(toml: ColumnRuleToml, contract: &Contract) -> Result<ColumnRule, String> {
    let name = toml.name.into_inner();
    let column = contract.column(&name);
    let column = column.ok_or_else(|| format!("there is no column `{name}` in the contract"))?;
    let day = |text: Option<String>| {
        let Some(text) = text else { return Ok(None) };
        DayBound::of(&text).map(Some).ok_or_else(|| {
            format!("column `{name}`: `{text}` is no day; write 2019-01-01, @start, @period_end or @next_start")
        })
    };
    let rule = ColumnRule {
        sum: toml.sum,
        min: toml.min,
        max: toml.max,
        from: day(toml.from)?,
        before: day(toml.before)?,
        meaning: toml.meaning,
        column: name.clone(),
    };
    fits(&rule, column)?;
    Ok(rule)
}

/// Bounds of a number stand at a number that is as fine, those of a day at a date, and a sum at an amount.
fn fits(rule: &ColumnRule, column: &Column) -> Result<(), String> {
    let name = &rule.column;
    let scale = column.column_type.scale();
    for bound in rule.min.iter().chain(&rule.max) {
        let fits = scale.is_some_and(|scale| bound.rescale(scale).is_ok());
        if !fits {
            return Err(format!(
                "column `{name}` is {}, which {bound} is no bound of",
                column.sql_type
            ));
        }
    }
    let is_dated = matches!(column.column_type, ColumnType::Date | ColumnType::DateTime);
    if (rule.from.is_some() || rule.before.is_some()) && !is_dated {
        return Err(format!(
            "column `{name}` is {}, and `from` and `before` are for dates",
            column.sql_type
        ));
    }
    let is_filled = !column.nullable && !is_dated && column.column_type != ColumnType::Text;
    if rule.meaning.is_some() && is_filled {
        return Err(format!(
            "column `{name}` may not be null by the contract, so that `meaning` says nothing; take it out"
        ));
    }
    if rule.sum.is_some() && !column.amount {
        return Err(format!(
            "column `{name}` is not summed; write amount = true at it, or remove `sum`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;

    const TOML: &str = r#"
id = "X_1"
title = "x"
secret = "S"
databases = ["D"]
[contract]
version = 1
key = ["id_company"]
company = "id_company"
columns = [
    { source = "id_company", name = "id_company", type = "varchar(20)" },
    { source = "Paid", name = "paid", type = "decimal(19,4)", amount = true },
    { source = "Left", name = "left", type = "decimal(19,4)" },
    { source = "Day", name = "day", type = "datetime" },
    { source = "Whole", name = "whole", type = "int", nullable = false },
]
[quality]
"#;

    fn read(rules: &str) -> Result<QualityRules, String> {
        let files = ItemFiles {
            place: "dir/X_1".into(),
            folder: "X_1".into(),
            toml: format!("{TOML}{rules}"),
            query: "SELECT 1 AS id_company".into(),
            population: None,
            witness: None,
        };
        parse(&files)
            .map(|ipe| ipe.quality)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_rule_reads() {
        let rules = read(
            "rows_min = 1\nrows_max = 9\n\
             [[quality.column]]\nname = \"paid\"\nsum = \"not_zero\"\nmin = \"-0.5\"\nmax = \"10\"\nmeaning = \"amount\"\n\
             [[quality.column]]\nname = \"day\"\nfrom = \"2019-01-01\"\nbefore = \"@next_start\"\n",
        );
        assert_eq!(rules.unwrap().conditions(), 8);
        assert!(read("").unwrap().is_empty());
    }

    /// Defect 11 of the predecessor: rules named columns as the source does, so that they failed on sound rows.
    #[test]
    fn a_rule_that_does_not_fit_is_refused_with_the_column_and_the_way_out() {
        let column = |rule: &str| {
            let rule = format!("[[quality.column]]\n{rule}\n");
            read(&rule).unwrap_err()
        };
        for (rule, said) in [
            ("name = \"nowhere\"", "there is no column `nowhere`"),
            // The name that the source has, which the rows never have.
            ("name = \"Paid\"", "there is no column `Paid`"),
            ("name = \"day\"\nmin = \"0\"", "which 0 is no bound of"),
            (
                "name = \"left\"\nmax = \"0.00001\"",
                "which 0.00001 is no bound of",
            ),
            ("name = \"paid\"\nfrom = \"2019-01-01\"", "are for dates"),
            ("name = \"day\"\nfrom = \"@today\"", "`@today` is no day"),
            (
                "name = \"whole\"\nmeaning = \"amount\"",
                "`meaning` says nothing",
            ),
            ("name = \"left\"\nsum = \"zero\"", "write amount = true"),
            (
                "name = \"left\"\n[[quality.column]]\nname = \"left\"",
                "has two rules",
            ),
            ("name = \"left\"\nkind = \"x\"", "kind"),
        ] {
            let error = column(rule);
            assert!(error.contains(said), "{rule}: {error}");
        }
        let swapped = read("rows_min = 2\nrows_max = 1\n").unwrap_err();
        assert!(swapped.contains("swap them"), "{swapped}");
    }
}
