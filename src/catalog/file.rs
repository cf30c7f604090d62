//! One item's files into an [`Ipe`].

use serde::Deserialize;

use crate::domain::contract::{Column, ColumnType, Contract, ContractError, cast_for};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::IpeId;
use crate::domain::ipe::Ipe;
use crate::domain::query::QueryFile;
use crate::domain::sql_type::SqlType;

use super::{CatalogError, ItemFiles};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemToml {
    id: IpeId,
    title: String,
    secret: String,
    databases: Vec<String>,
    contract: ContractToml,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractToml {
    version: u32,
    key: Vec<String>,
    company: String,
    columns: Vec<ColumnToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnToml {
    source: String,
    name: String,
    #[serde(rename = "type")]
    sql_type: SqlType,
    #[serde(default = "yes")]
    nullable: bool,
    #[serde(default)]
    amount: bool,
    #[serde(default)]
    personal: bool,
    #[serde(default)]
    description: String,
}

fn yes() -> bool {
    true
}

/// Reads and checks one item.
///
/// # Errors
/// Names the file, the line where there is one, and the remedy.
pub(super) fn parse(files: &ItemFiles) -> Result<Ipe, CatalogError> {
    let toml_place = format!("{}/ipe.toml", files.place);
    let query_place = format!("{}/query.sql", files.place);
    let item: ItemToml = toml::from_str(&files.toml)
        .map_err(|error| CatalogError::new(&toml_place, error.to_string().trim()))?;
    if item.id.as_str() != files.folder {
        let what = format!(
            "id is `{}` but the folder is `{}`; name both alike",
            item.id, files.folder
        );
        return Err(CatalogError::new(toml_place, what));
    }
    if item.databases.is_empty() {
        return Err(CatalogError::new(
            toml_place,
            "databases is empty; name every database that the query reads",
        ));
    }
    let contract = contract(item.contract)
        .map_err(|error| CatalogError::new(&toml_place, error.to_string()))?;
    let query = QueryFile::parse(&files.query)
        .map_err(|error| CatalogError::new(&query_place, error.to_string()))?;
    let definition = format!("{}\0{}", files.toml, files.query);
    Ok(Ipe {
        id: item.id,
        title: item.title,
        secret: item.secret,
        databases: item.databases,
        contract,
        query,
        definition_sha256: sha256_hex(definition.as_bytes()),
    })
}

fn contract(toml: ContractToml) -> Result<Contract, ContractError> {
    let mut columns = Vec::with_capacity(toml.columns.len());
    for column in toml.columns {
        let column_type =
            ColumnType::of(&column.sql_type).ok_or_else(|| ContractError::Unsupported {
                column: column.source.clone(),
                sql_type: column.sql_type.to_string(),
                cast: cast_for(&column.sql_type),
            })?;
        columns.push(Column {
            source: column.source,
            name: column.name,
            sql_type: column.sql_type,
            column_type,
            nullable: column.nullable,
            amount: column.amount,
            personal: column.personal,
            description: column.description,
        });
    }
    let contract = Contract {
        version: toml.version,
        columns,
        key: toml.key,
        company: toml.company,
    };
    contract.validate()?;
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
