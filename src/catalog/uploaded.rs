//! The section `[file]` of `ipe.toml` as people write it: an item that is read from a file has no query.

use serde::Deserialize;
use toml::Spanned;

use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::sql_type::SqlType;
use crate::domain::uploaded::{DeclaredForm, FileColumn, FileDefinition};

use super::{CatalogError, ItemFiles};

/// How the file is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileToml {
    pub(super) line: Spanned<String>,
    pub(super) form: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) companies: Vec<String>,
    #[serde(default)]
    pub(super) columns: Vec<FileColumnToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileColumnToml {
    pub(super) name: String,
    pub(super) headers: Vec<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) identifier: bool,
    #[serde(default)]
    pub(super) not_negative: bool,
}

/// Whether the text of an `ipe.toml` has the section.
pub(super) fn is_declared(toml: &str) -> bool {
    toml::from_str::<toml::Table>(toml).is_ok_and(|table| table.contains_key("file"))
}

/// The section as a definition that fits the contract.
pub(super) fn definition(
    toml: FileToml,
    files: &ItemFiles,
    contract: &Contract,
) -> Result<FileDefinition, CatalogError> {
    let wrong = |what: String| CatalogError::new(files.toml_place(), format!("[file]: {what}"));
    let is_asked = !files.query.is_empty() || files.population.is_some() || files.witness.is_some();
    if is_asked {
        let what =
            "the item is read from a file and from a server; remove the section or the SQL files";
        return Err(wrong(what.to_owned()));
    }
    let form = toml.form.map(Spanned::into_inner);
    let form = form.map_or(Ok(DeclaredForm::default()), |text| text.parse());
    let definition = FileDefinition {
        line: toml.line.into_inner(),
        columns: toml
            .columns
            .into_iter()
            .map(|column| FileColumn {
                name: column.name,
                headers: column.headers,
                required: column.required,
                identifier: column.identifier,
                not_negative: column.not_negative,
            })
            .collect(),
        companies: toml.companies,
        form: form.map_err(wrong)?,
    };
    fits(&definition, contract).map_err(wrong)?;
    Ok(definition)
}

fn fits(definition: &FileDefinition, contract: &Contract) -> Result<(), String> {
    let line = &definition.line;
    let holds_lines =
        |column: &Column| column.sql_type == SqlType::BigInt && !column.nullable && !column.amount;
    if !contract.column(line).is_some_and(holds_lines) || contract.key != [line.as_str()] {
        return Err(format!(
            "line `{line}` must be a bigint of the contract without nulls, and its key: it is what tells two rows apart"
        ));
    }
    for column in contract
        .columns
        .iter()
        .filter(|column| column.name != *line)
    {
        let mut of_file = definition.columns.iter().filter(|c| c.name == column.name);
        let (Some(found), None) = (of_file.next(), of_file.next()) else {
            return Err(format!(
                "column `{}` needs one [[file.columns]], with the names that it has in files",
                column.name
            ));
        };
        column_fits(found, column)?;
    }
    let mut seen: Vec<String> = Vec::new();
    for column in &definition.columns {
        if contract.column(&column.name).is_none() || column.name == *line {
            return Err(format!(
                "`{}` is no column that a file can have",
                column.name
            ));
        }
        for header in &column.headers {
            let folded = header.trim().to_lowercase();
            if folded.is_empty() || seen.contains(&folded) {
                return Err(format!(
                    "the header `{header}` of `{}` is empty or means a column already, whatever the case",
                    column.name
                ));
            }
            seen.push(folded);
        }
    }
    Ok(())
}

fn column_fits(file: &FileColumn, column: &Column) -> Result<(), String> {
    let name = &column.name;
    let is_text = column.column_type == ColumnType::Text;
    let is_decimal = matches!(column.column_type, ColumnType::Decimal { .. });
    let is_day = matches!(column.column_type, ColumnType::Date)
        || matches!(column.sql_type, SqlType::DateTime2(6..));
    if !is_text && !is_decimal && !is_day {
        return Err(format!(
            "column `{name}` has type {}, which is not read from a file; declare text, decimal, date or datetime2(6)",
            column.sql_type
        ));
    }
    if file.headers.is_empty() {
        return Err(format!("column `{name}` has no header"));
    }
    if !column.nullable && !file.required {
        return Err(format!(
            "column `{name}` allows no null, so that a file must have it: say required = true"
        ));
    }
    if (file.identifier && !is_text) || (file.not_negative && !is_decimal) {
        return Err(format!(
            "column `{name}`: identifier is for texts, not_negative for decimals"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::domain::ipe::Ipe;

    fn jdash() -> Ipe {
        let catalog = Catalog::embedded().unwrap();
        let found = catalog.select(&["JDASH".to_owned()]).unwrap();
        found[0].clone()
    }

    #[test]
    fn the_voucher_usage_of_the_shop_is_a_file_with_five_names_for_its_id() {
        let ipe = jdash();
        let file = ipe.file.unwrap();
        let column = |name: &str| file.columns.iter().find(|c| c.name == name).unwrap();
        assert_eq!(column("voucher_id").headers.len(), 5);
        let amount = column("amount_used");
        assert!(
            amount
                .headers
                .iter()
                .any(|header| header == "Ordered Amount")
        );
        assert!(amount.required && amount.not_negative);
        assert!(ipe.contract.column("customer_id").unwrap().personal);
        assert!(ipe.secret.is_empty() && ipe.databases.is_empty());
    }

    type Breaks = fn(&mut FileDefinition);

    #[test]
    fn a_section_that_does_not_fit_its_contract_is_refused() {
        let ipe = jdash();
        let good = ipe.file.clone().unwrap();
        assert_eq!(fits(&good, &ipe.contract), Ok(()));
        let broken: [(&str, Breaks); 6] = [
            ("tells two rows apart", |file| {
                file.line = "voucher_id".into()
            }),
            ("needs one [[file.columns]]", |file| {
                drop(file.columns.pop())
            }),
            ("no column that a file can have", |file| {
                let mut other = file.columns[0].clone();
                (other.name, other.headers) = ("line_no".into(), vec!["Line".into()]);
                file.columns.push(other);
            }),
            ("means a column already", |file| {
                file.columns[1].headers.push(" VOUCHER_ID ".into());
            }),
            ("say required = true", |file| {
                file.columns[0].required = false
            }),
            ("identifier is for texts", |file| {
                file.columns[0].not_negative = true
            }),
        ];
        for (part, breaks) in broken {
            let mut file = good.clone();
            breaks(&mut file);
            let error = fits(&file, &ipe.contract).unwrap_err();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
