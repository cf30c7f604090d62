//! One item's `ipe.toml` as people write it, and both files into an [`Ipe`].

use serde::Deserialize;
use toml::Spanned;

use crate::domain::contract::{Column, ColumnType, Contract, ContractError, cast_for};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::IdError;
use crate::domain::ipe::Ipe;
use crate::domain::query::QueryFile;
use crate::domain::sql_type::SqlType;

use super::population::{self, PopulationToml};
use super::quality::{self, QualityToml};
use super::uploaded::{self, FileToml};
use super::witness::{self, WitnessToml};
use super::{CatalogError, ItemFiles};

/// The file, with the place of every value; what is missing is the lint's finding, not the reader's error.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemToml {
    pub(super) id: Option<Spanned<String>>,
    pub(super) title: Option<Spanned<String>>,
    pub(super) secret: Option<Spanned<String>>,
    pub(super) databases: Option<Spanned<Vec<String>>>,
    pub(super) contract: Option<Spanned<ContractToml>>,
    pub(super) file: Option<FileToml>,
    pub(super) quality: Option<QualityToml>,
    pub(super) population: Option<PopulationToml>,
    pub(super) witness: Option<WitnessToml>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractToml {
    pub(super) version: Option<u32>,
    pub(super) key: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) company: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) columns: Vec<Spanned<ColumnToml>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnToml {
    pub(super) source: Option<Spanned<String>>,
    pub(super) name: Option<Spanned<String>>,
    #[serde(rename = "type")]
    pub(super) sql_type: Option<Spanned<String>>,
    #[serde(default = "yes")]
    pub(super) nullable: bool,
    #[serde(default)]
    pub(super) amount: bool,
    #[serde(default)]
    pub(super) personal: bool,
    #[serde(default)]
    pub(super) description: String,
}

fn yes() -> bool {
    true
}

/// Reads and checks one item.
///
/// # Errors
/// Names the file, the line where there is one, and the remedy; the first mistake only (`lint` has them all).
pub(super) fn parse(files: &ItemFiles) -> Result<Ipe, CatalogError> {
    let toml_place = files.toml_place();
    let wrong = |what: String| CatalogError::new(&toml_place, what);
    let missing = |part: &str| wrong(format!("{part} is missing"));
    let item: ItemToml =
        toml::from_str(&files.toml).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
    let id = item.id.ok_or_else(|| missing("id"))?.into_inner();
    if id != files.folder {
        return Err(wrong(format!(
            "id is `{id}` but the folder is `{}`; name both alike",
            files.folder
        )));
    }
    let toml = item.contract.ok_or_else(|| missing("contract"))?;
    let contract = contract(toml.into_inner(), &missing, &wrong)?;
    let file = item.file;
    let file = file.map(|file| uploaded::definition(file, files, &contract));
    let file = file.transpose()?;
    let (secret, databases) = match (&file, item.secret, item.databases) {
        (None, secret, databases) => {
            let databases = databases.ok_or_else(|| missing("databases"))?.into_inner();
            if databases.is_empty() {
                let what = "databases is empty; name every database that the query reads";
                return Err(wrong(what.to_owned()));
            }
            let secret = secret.ok_or_else(|| missing("secret"))?;
            (secret.into_inner(), databases)
        }
        (Some(_), None, None) => (String::new(), Vec::new()),
        (Some(_), ..) => {
            let what = "an item that is read from a file has neither secret nor databases";
            return Err(wrong(what.to_owned()));
        }
    };
    let query = match &file {
        Some(_) => QueryFile::default(),
        None => QueryFile::parse(&files.query)
            .map_err(|error| CatalogError::new(files.query_place(), error.to_string()))?,
    };
    let quality = quality::definition(item.quality, files, &contract)?;
    let population = population::definition(item.population, files)?;
    let witness = witness::definition(item.witness, files)?;
    let texts = [
        Some(&files.toml),
        Some(&files.query),
        files.population.as_ref(),
        files.witness.as_ref(),
    ];
    let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
    let definition = texts.join("\0");
    Ok(Ipe {
        id: id
            .parse()
            .map_err(|error: IdError| wrong(format!("id {error}")))?,
        title: item.title.ok_or_else(|| missing("title"))?.into_inner(),
        secret,
        databases,
        contract,
        query,
        file,
        quality,
        population,
        witness,
        definition_sha256: sha256_hex(definition.as_bytes()),
    })
}

fn contract(
    toml: ContractToml,
    missing: &impl Fn(&str) -> CatalogError,
    wrong: &impl Fn(String) -> CatalogError,
) -> Result<Contract, CatalogError> {
    let mut columns = Vec::with_capacity(toml.columns.len());
    for column in toml.columns {
        let column = column.into_inner();
        let text = |value: Option<Spanned<String>>, part: &str| {
            value
                .map(Spanned::into_inner)
                .ok_or_else(|| missing(&format!("{part} of a column")))
        };
        let source = text(column.source, "source")?;
        let sql_type: SqlType = text(column.sql_type, "type")?
            .parse()
            .map_err(|error| wrong(format!("column `{source}`: {error}")))?;
        let column_type = ColumnType::of(&sql_type).ok_or_else(|| {
            let refused = ContractError::Unsupported {
                column: source.clone(),
                sql_type: sql_type.to_string(),
                cast: cast_for(&sql_type),
            };
            wrong(refused.to_string())
        })?;
        columns.push(Column {
            column_type,
            name: text(column.name, "name")?,
            source,
            sql_type,
            nullable: column.nullable,
            amount: column.amount,
            personal: column.personal,
            description: column.description,
        });
    }
    let key = toml.key.ok_or_else(|| missing("contract.key"))?;
    let contract = Contract {
        version: toml.version.ok_or_else(|| missing("contract.version"))?,
        columns,
        key: key
            .into_inner()
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        company: toml
            .company
            .ok_or_else(|| missing("contract.company"))?
            .into_inner(),
    };
    contract
        .validate()
        .map_err(|error| wrong(error.to_string()))?;
    Ok(contract)
}

#[cfg(test)]
mod tests {
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
[[contract.columns]]
source = "id_company"
name = "id_company"
type = "varchar(20)"
"#;

    fn read(toml: &str, query: &str) -> Result<Ipe, CatalogError> {
        let files = ItemFiles {
            place: "dir/X_1".into(),
            folder: "X_1".into(),
            toml: toml.into(),
            query: query.into(),
            population: None,
            witness: None,
        };
        parse(&files)
    }

    #[test]
    fn a_sound_item_reads() {
        let ipe = read(TOML, "SELECT 1 AS id_company").unwrap();
        assert_eq!(ipe.contract.columns[0].sql_type, SqlType::VarChar(Some(20)));
    }

    #[test]
    fn every_mistake_names_its_file() {
        for (toml, query, part) in [
            (
                TOML.replace("title", "titel"),
                "SELECT 1",
                "dir/X_1/ipe.toml: TOML parse error at line 3",
            ),
            (TOML.replace("X_1", "X_2"), "SELECT 1", "name both alike"),
            (
                TOML.replace("version = 1\n", ""),
                "SELECT 1",
                "dir/X_1/ipe.toml: contract.version is missing",
            ),
            (
                TOML.replace("varchar(20)", "xml"),
                "SELECT 1",
                "write CAST([id_company] AS nvarchar(max))",
            ),
            (
                TOML.replace("[\"D\"]", "[]"),
                "SELECT 1",
                "databases is empty",
            ),
            (
                TOML.replace("key = [\"id_company\"]", "key = [\"entry\"]"),
                "SELECT 1",
                "key names `entry`",
            ),
            (
                TOML.to_owned(),
                "SELECT ?",
                "dir/X_1/query.sql: line 1: `?` is a placeholder",
            ),
        ] {
            let error = read(&toml, query).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
