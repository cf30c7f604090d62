//! What an item must deliver: columns, types, keys, amounts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::sql_type::SqlType;

/// The types that values have from the reader on: in Arrow, Parquet and the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `bit`.
    Bool,
    /// `tinyint`, `smallint`.
    Int16,
    /// `int`.
    Int32,
    /// `bigint`.
    Int64,
    /// `decimal`, `numeric`, `money`, `smallmoney`.
    Decimal {
        /// Total digits, 1–38.
        precision: u8,
        /// Fraction digits.
        scale: u8,
    },
    /// `real`; never part of the digest.
    Float32,
    /// `float`; never part of the digest.
    Float64,
    /// `date`.
    Date,
    /// `datetime`, `smalldatetime`, `datetime2`: microseconds without a zone.
    DateTime,
    /// `datetimeoffset`: microseconds in UTC.
    DateTimeUtc,
    /// `time`: microseconds since midnight.
    Time,
    /// Character types, and `uniqueidentifier` in upper case.
    Text,
    /// Binary types.
    Binary,
}

impl ColumnType {
    /// The carrier of a SQL Server type, or `None` where the type is refused.
    ///
    /// # Source
    /// The table "Text of a value" of the digest specification, ADR-0007.
    #[must_use]
    pub fn of(sql_type: &SqlType) -> Option<Self> {
        Some(match sql_type {
            SqlType::Bit => Self::Bool,
            SqlType::TinyInt | SqlType::SmallInt => Self::Int16,
            SqlType::Int => Self::Int32,
            SqlType::BigInt => Self::Int64,
            SqlType::Decimal { precision, scale } => Self::Decimal {
                precision: *precision,
                scale: *scale,
            },
            SqlType::Money => Self::Decimal {
                precision: 19,
                scale: 4,
            },
            SqlType::SmallMoney => Self::Decimal {
                precision: 10,
                scale: 4,
            },
            SqlType::Real => Self::Float32,
            SqlType::Float => Self::Float64,
            SqlType::Date => Self::Date,
            SqlType::DateTime | SqlType::SmallDateTime | SqlType::DateTime2(_) => Self::DateTime,
            SqlType::DateTimeOffset(_) => Self::DateTimeUtc,
            SqlType::Time(_) => Self::Time,
            SqlType::Char(_)
            | SqlType::VarChar(_)
            | SqlType::NChar(_)
            | SqlType::NVarChar(_)
            | SqlType::Text
            | SqlType::NText
            | SqlType::UniqueIdentifier => Self::Text,
            SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::RowVersion => {
                Self::Binary
            }
            SqlType::Other(_) => return None,
        })
    }

    /// Whether the values can be part of the content digest.
    #[must_use]
    pub fn digestible(self) -> bool {
        !matches!(self, Self::Float32 | Self::Float64)
    }

    /// The scale of an exact number, `None` for other types.
    #[must_use]
    pub fn scale(self) -> Option<u8> {
        match self {
            Self::Int16 | Self::Int32 | Self::Int64 => Some(0),
            Self::Decimal { scale, .. } => Some(scale),
            _ => None,
        }
    }
}

/// One column of a contract, in the order of the select list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name in the result set, exactly as the source spells it.
    pub source: String,
    /// Canonical name: snake case, legal in BigQuery, unique whatever the case.
    pub name: String,
    /// Type that the source announces.
    pub sql_type: SqlType,
    /// Carrier of that type.
    pub column_type: ColumnType,
    /// Whether nulls are allowed.
    pub nullable: bool,
    /// Whether the column is summed in the control totals.
    pub amount: bool,
    /// Whether the values are personal data: masked in summaries.
    pub personal: bool,
    /// What the column means, for people and for the warehouse's column description.
    pub description: String,
}

/// What an item must deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Version, advanced by hand with every change.
    pub version: u32,
    /// Columns in the order of the select list.
    pub columns: Vec<Column>,
    /// Canonical names of the true key.
    pub key: Vec<String>,
    /// Canonical name of the company column, by which totals are grouped.
    pub company: String,
}

/// Why a contract is not consistent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// Totals, summary and result name every company.
    #[error(
        "the company column `{0}` is personal, and totals by its values would show them; choose another column"
    )]
    PersonalCompany(String),
    /// Name not legal or reserved.
    #[error(
        "column `{0}`: use lower-case letters, digits and `_`, begin with a letter, at most 120"
    )]
    Name(String),
    /// Two names equal but for case.
    #[error("columns `{0}` and `{1}` differ only by case; alias one of them in the select list")]
    Duplicate(String, String),
    /// A type that cannot be carried exactly.
    #[error(
        "column `{column}`: type {sql_type} is not supported; write CAST([{column}] AS {cast}) in the select list"
    )]
    Unsupported {
        /// Source name.
        column: String,
        /// Refused type.
        sql_type: String,
        /// Type to cast to.
        cast: &'static str,
    },
    /// Key or company names no column.
    #[error("{role} names `{name}`, which is not a column of the contract")]
    Unknown {
        /// `key` or `company`.
        role: &'static str,
        /// The name.
        name: String,
    },
    /// An amount that cannot be summed exactly.
    #[error(
        "amount column `{name}` has type {sql_type}; amounts are exact numbers (cast floats to decimal)"
    )]
    Amount {
        /// Canonical name.
        name: String,
        /// Its type.
        sql_type: String,
    },
    /// No columns or no key.
    #[error("the contract has no {0}")]
    Missing(&'static str),
}

impl Contract {
    /// Checks the rules that hold for every contract.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ContractError> {
        if self.columns.is_empty() {
            return Err(ContractError::Missing("columns"));
        }
        if self.key.is_empty() {
            return Err(ContractError::Missing("key"));
        }
        let mut names = BTreeSet::new();
        for column in &self.columns {
            if !is_canonical(&column.name) {
                return Err(ContractError::Name(column.name.clone()));
            }
            if !names.insert(column.name.as_str()) {
                return Err(ContractError::Duplicate(
                    column.name.clone(),
                    column.name.clone(),
                ));
            }
            if column.personal && column.name == self.company {
                return Err(ContractError::PersonalCompany(column.name.clone()));
            }
            if column.amount && column.column_type.scale().is_none() {
                return Err(ContractError::Amount {
                    name: column.name.clone(),
                    sql_type: column.sql_type.to_string(),
                });
            }
        }
        let key = self.key.iter().map(|name| ("key", name));
        for (role, name) in key.chain([("company", &self.company)]) {
            if !names.contains(name.as_str()) {
                return Err(ContractError::Unknown {
                    role,
                    name: name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The columns that the control totals sum, in contract order.
    pub fn amounts(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.amount)
    }

    /// The columns of the content digest, in contract order.
    pub fn digested(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.column_type.digestible())
    }

    /// A column by its canonical name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Legal in BigQuery, Parquet and SQL without quoting; a leading underscore is kept for run metadata.
#[must_use]
pub fn is_canonical(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 120
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The type to cast a refused type to, for the message that names the remedy.
#[must_use]
pub fn cast_for(sql_type: &SqlType) -> &'static str {
    match sql_type {
        SqlType::Money => "decimal(19,4)",
        SqlType::SmallMoney => "decimal(10,4)",
        SqlType::Char(_) | SqlType::VarChar(Some(_)) => "nvarchar(4000)",
        SqlType::Other(name)
            if name == "hierarchyid" || name == "geography" || name == "geometry" =>
        {
            "varbinary(max)"
        }
        _ => "nvarchar(max)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, sql_type: SqlType) -> Column {
        Column {
            source: name.to_owned(),
            name: name.to_owned(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: false,
            amount: false,
            personal: false,
            description: String::new(),
        }
    }

    fn contract() -> Contract {
        Contract {
            version: 1,
            columns: vec![
                column("id_company", SqlType::VarChar(Some(20))),
                column("entry_no", SqlType::Int),
            ],
            key: vec!["id_company".into(), "entry_no".into()],
            company: "id_company".into(),
        }
    }

    #[test]
    fn a_sound_contract_passes() {
        assert_eq!(contract().validate(), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_named() {
        let mut bad = contract();
        bad.key = vec!["entry".into()];
        assert_eq!(
            bad.validate(),
            Err(ContractError::Unknown {
                role: "key",
                name: "entry".into()
            })
        );
        let mut bad = contract();
        bad.columns.push(column("entry_no", SqlType::Int));
        assert!(matches!(bad.validate(), Err(ContractError::Duplicate(..))));
        for name in ["Entry", "_run", "1st", "a-b", ""] {
            let mut bad = contract();
            bad.columns.push(column(name, SqlType::Int));
            assert_eq!(bad.validate(), Err(ContractError::Name(name.to_owned())));
        }
        let mut bad = contract();
        bad.columns.push(Column {
            amount: true,
            ..column("rate", SqlType::Float)
        });
        assert!(matches!(bad.validate(), Err(ContractError::Amount { .. })));
        let mut bad = contract();
        bad.key.clear();
        assert_eq!(bad.validate(), Err(ContractError::Missing("key")));
    }

    #[test]
    fn unknown_types_have_no_carrier() {
        assert_eq!(ColumnType::of(&SqlType::Other("xml".into())), None);
        assert_eq!(
            ColumnType::of(&SqlType::Money),
            Some(ColumnType::Decimal {
                precision: 19,
                scale: 4
            })
        );
    }
}
