//! The types of SQL Server, as a server describes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One SQL Server column type with its parameters.
///
/// # Units
/// Lengths are characters for `nchar`/`nvarchar` and bytes for the others; `None` means `max`.
/// Scales of date and time types are fraction digits of a second (0–7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SqlType {
    /// `bit`.
    Bit,
    /// `tinyint`, 0–255.
    TinyInt,
    /// `smallint`.
    SmallInt,
    /// `int`.
    Int,
    /// `bigint`.
    BigInt,
    /// `decimal(p,s)` or `numeric(p,s)`.
    Decimal {
        /// Total digits, 1–38.
        precision: u8,
        /// Fraction digits, 0–precision.
        scale: u8,
    },
    /// `money`, four fraction digits.
    Money,
    /// `smallmoney`, four fraction digits.
    SmallMoney,
    /// `real`, 32-bit float.
    Real,
    /// `float`, 64-bit float.
    Float,
    /// `date`.
    Date,
    /// `datetime`, ticks of 1/300 s.
    DateTime,
    /// `smalldatetime`, minutes.
    SmallDateTime,
    /// `datetime2(n)`.
    DateTime2(u8),
    /// `datetimeoffset(n)`.
    DateTimeOffset(u8),
    /// `time(n)`.
    Time(u8),
    /// `char(n)`.
    Char(u16),
    /// `varchar(n)` or `varchar(max)`.
    VarChar(Option<u16>),
    /// `nchar(n)`.
    NChar(u16),
    /// `nvarchar(n)` or `nvarchar(max)`.
    NVarChar(Option<u16>),
    /// `text`.
    Text,
    /// `ntext`.
    NText,
    /// `uniqueidentifier`.
    UniqueIdentifier,
    /// `binary(n)`.
    Binary(u16),
    /// `varbinary(n)` or `varbinary(max)`.
    VarBinary(Option<u16>),
    /// `image`.
    Image,
    /// `rowversion` / `timestamp`.
    RowVersion,
    /// Anything else (`xml`, `sql_variant`, CLR types …), by its name.
    Other(String),
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bit => f.write_str("bit"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Money => f.write_str("money"),
            Self::SmallMoney => f.write_str("smallmoney"),
            Self::Real => f.write_str("real"),
            Self::Float => f.write_str("float"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("datetime"),
            Self::SmallDateTime => f.write_str("smalldatetime"),
            Self::DateTime2(n) => write!(f, "datetime2({n})"),
            Self::DateTimeOffset(n) => write!(f, "datetimeoffset({n})"),
            Self::Time(n) => write!(f, "time({n})"),
            Self::Char(n) => write!(f, "char({n})"),
            Self::VarChar(n) => write_sized(f, "varchar", *n),
            Self::NChar(n) => write!(f, "nchar({n})"),
            Self::NVarChar(n) => write_sized(f, "nvarchar", *n),
            Self::Text => f.write_str("text"),
            Self::NText => f.write_str("ntext"),
            Self::UniqueIdentifier => f.write_str("uniqueidentifier"),
            Self::Binary(n) => write!(f, "binary({n})"),
            Self::VarBinary(n) => write_sized(f, "varbinary", *n),
            Self::Image => f.write_str("image"),
            Self::RowVersion => f.write_str("rowversion"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

fn write_sized(f: &mut fmt::Formatter<'_>, name: &str, len: Option<u16>) -> fmt::Result {
    match len {
        Some(n) => write!(f, "{name}({n})"),
        None => write!(f, "{name}(max)"),
    }
}

/// A type text whose parameters make no sense, such as `decimal(50,2)`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SQL Server type with valid parameters")]
pub struct SqlTypeError(pub String);

impl FromStr for SqlType {
    type Err = SqlTypeError;

    /// Reads a type as `sp_describe_first_result_set` or a `DECLARE` writes it.
    ///
    /// # Errors
    /// Known names with bad parameters are refused; unknown names become [`SqlType::Other`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        let (name, args) = match lower.split_once('(') {
            Some((name, rest)) => {
                let inner = rest
                    .strip_suffix(')')
                    .ok_or_else(|| SqlTypeError(text.to_owned()))?;
                (name.trim(), Some(inner.trim()))
            }
            None => (lower.as_str(), None),
        };
        parse_named(name, args).ok_or_else(|| SqlTypeError(text.to_owned()))
    }
}

impl TryFrom<String> for SqlType {
    type Error = SqlTypeError;

    fn try_from(text: String) -> Result<Self, SqlTypeError> {
        text.parse()
    }
}

impl From<SqlType> for String {
    fn from(sql_type: SqlType) -> Self {
        sql_type.to_string()
    }
}

fn parse_named(name: &str, args: Option<&str>) -> Option<SqlType> {
    Some(match name {
        "bit" => SqlType::Bit,
        "tinyint" => SqlType::TinyInt,
        "smallint" => SqlType::SmallInt,
        "int" | "integer" => SqlType::Int,
        "bigint" => SqlType::BigInt,
        "decimal" | "numeric" | "dec" => parse_decimal(args)?,
        "money" => SqlType::Money,
        "smallmoney" => SqlType::SmallMoney,
        "real" => SqlType::Real,
        "float" => match args {
            None => SqlType::Float,
            Some(n) => match n.parse::<u8>().ok()? {
                1..=24 => SqlType::Real,
                25..=53 => SqlType::Float,
                _ => return None,
            },
        },
        "date" => SqlType::Date,
        "datetime" => SqlType::DateTime,
        "smalldatetime" => SqlType::SmallDateTime,
        "datetime2" => SqlType::DateTime2(parse_scale(args)?),
        "datetimeoffset" => SqlType::DateTimeOffset(parse_scale(args)?),
        "time" => SqlType::Time(parse_scale(args)?),
        "char" => SqlType::Char(parse_len(args, 8000)??),
        "varchar" => SqlType::VarChar(parse_len(args, 8000)?),
        "nchar" => SqlType::NChar(parse_len(args, 4000)??),
        "sysname" => SqlType::NVarChar(Some(128)),
        "nvarchar" => SqlType::NVarChar(parse_len(args, 4000)?),
        "text" => SqlType::Text,
        "ntext" => SqlType::NText,
        "uniqueidentifier" => SqlType::UniqueIdentifier,
        "binary" => SqlType::Binary(parse_len(args, 8000)??),
        "varbinary" => SqlType::VarBinary(parse_len(args, 8000)?),
        "image" => SqlType::Image,
        "timestamp" | "rowversion" => SqlType::RowVersion,
        other => SqlType::Other(other.to_owned()),
    })
}

/// `decimal` alone is `decimal(18,0)`.
fn parse_decimal(args: Option<&str>) -> Option<SqlType> {
    let (precision, scale) = match args {
        None => (18, 0),
        Some(text) => match text.split_once(',') {
            None => (text.trim().parse().ok()?, 0),
            Some((p, s)) => (p.trim().parse().ok()?, s.trim().parse().ok()?),
        },
    };
    ((1..=38).contains(&precision) && scale <= precision)
        .then_some(SqlType::Decimal { precision, scale })
}

/// Date and time types without a scale have seven fraction digits.
fn parse_scale(args: Option<&str>) -> Option<u8> {
    let scale = args.map_or(Some(7), |n| n.parse().ok())?;
    (scale <= 7).then_some(scale)
}

/// The outer `None` is an error, the inner one is `max`; without a length it is 1.
fn parse_len(args: Option<&str>, len_max: u16) -> Option<Option<u16>> {
    match args {
        None => Some(Some(1)),
        Some("max") => Some(None),
        Some(n) => {
            let len = n.parse().ok()?;
            (1..=len_max).contains(&len).then_some(Some(len))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_text_reads_back() {
        for text in [
            "bit",
            "tinyint",
            "smallint",
            "int",
            "bigint",
            "decimal(38,20)",
            "money",
            "smallmoney",
            "real",
            "float",
            "date",
            "datetime",
            "smalldatetime",
            "datetime2(7)",
            "datetimeoffset(0)",
            "time(3)",
            "char(5)",
            "varchar(20)",
            "varchar(max)",
            "nchar(2)",
            "nvarchar(4000)",
            "nvarchar(max)",
            "text",
            "ntext",
            "uniqueidentifier",
            "binary(8)",
            "varbinary(max)",
            "image",
            "rowversion",
            "xml",
            "sql_variant",
        ] {
            let parsed: SqlType = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn defaults_are_those_of_sql_server() {
        assert_eq!(
            "decimal".parse(),
            Ok(SqlType::Decimal {
                precision: 18,
                scale: 0
            })
        );
        assert_eq!(
            "NUMERIC(9)".parse(),
            Ok(SqlType::Decimal {
                precision: 9,
                scale: 0
            })
        );
        assert_eq!("datetime2".parse(), Ok(SqlType::DateTime2(7)));
        assert_eq!("sysname".parse(), Ok(SqlType::NVarChar(Some(128))));
        assert_eq!("float(24)".parse(), Ok(SqlType::Real));
    }

    #[test]
    fn impossible_parameters_are_refused() {
        for text in [
            "decimal(39,0)",
            "decimal(5,6)",
            "time(8)",
            "nvarchar(4001)",
            "char(max)",
            "int(",
        ] {
            assert!(text.parse::<SqlType>().is_err(), "{text}");
        }
    }
}
