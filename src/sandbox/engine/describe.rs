//! `sp_describe_first_result_set`: the columns of a result as rows, and the numbers that SQL Server gives its types.

use crate::domain::sql_type::SqlType;
use crate::sandbox::data::Table;
use crate::sandbox::engine::facts::COLLATION;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::engine::sysviews::table;
use crate::sandbox::tsql::error::SqlResult;
use crate::sandbox::wire::ColumnMeta;

/// What the system views say about a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeFacts {
    /// `system_type_id`.
    pub(super) id: i64,
    /// Bytes; -1 for max.
    pub(super) max_length: i64,
    pub(super) precision: i64,
    pub(super) scale: i64,
    /// Type of the TDS column.
    pub(super) tds: i64,
    pub(super) is_text: bool,
    /// Two bytes a character.
    pub(super) is_wide: bool,
}

/// The numbers of a type.
///
/// # Source
/// `sys.types` of SQL Server 2019 and the TDS type tokens of MS-TDS 2.2.5.4.
pub(super) fn type_facts(ty: &SqlType) -> TypeFacts {
    let fixed = |id, max_length, precision, scale, tds| TypeFacts {
        id,
        max_length,
        precision,
        scale,
        tds,
        is_text: false,
        is_wide: false,
    };
    let sized = |id, len: Option<u16>, width: i64, tds| TypeFacts {
        is_text: true,
        is_wide: width == 2,
        ..fixed(id, len.map_or(-1, |n| i64::from(n) * width), 0, 0, tds)
    };
    let dotted = |whole: i64, n: u8| {
        if n == 0 {
            whole
        } else {
            whole + 1 + i64::from(n)
        }
    };
    match ty {
        SqlType::Bit => fixed(104, 1, 1, 0, 104),
        SqlType::TinyInt => fixed(48, 1, 3, 0, 38),
        SqlType::SmallInt => fixed(52, 2, 5, 0, 38),
        SqlType::Int => fixed(56, 4, 10, 0, 38),
        SqlType::BigInt => fixed(127, 8, 19, 0, 38),
        SqlType::Decimal { precision, scale } => {
            let digits = i64::from(*precision);
            fixed(
                106,
                decimal_bytes(*precision),
                digits,
                i64::from(*scale),
                106,
            )
        }
        SqlType::Money => fixed(60, 8, 19, 4, 110),
        SqlType::SmallMoney => fixed(122, 4, 10, 4, 110),
        SqlType::Real => fixed(59, 4, 24, 0, 109),
        SqlType::Float => fixed(62, 8, 53, 0, 109),
        SqlType::Date => fixed(40, 3, 10, 0, 40),
        SqlType::DateTime => fixed(61, 8, 23, 3, 111),
        SqlType::SmallDateTime => fixed(58, 4, 16, 0, 111),
        SqlType::DateTime2(n) => fixed(42, fraction(*n) + 3, dotted(19, *n), i64::from(*n), 42),
        SqlType::DateTimeOffset(n) => {
            fixed(43, fraction(*n) + 5, dotted(26, *n), i64::from(*n), 43)
        }
        SqlType::Time(n) => fixed(41, fraction(*n), dotted(8, *n), i64::from(*n), 41),
        SqlType::Char(n) => sized(175, Some(*n), 1, 175),
        SqlType::VarChar(n) => sized(167, *n, 1, 167),
        SqlType::NChar(n) => sized(239, Some(*n), 2, 239),
        SqlType::NVarChar(n) => sized(231, *n, 2, 231),
        SqlType::Text => pointed(sized(35, None, 1, 35)),
        SqlType::NText => pointed(sized(99, None, 2, 99)),
        SqlType::UniqueIdentifier => fixed(36, 16, 0, 0, 36),
        SqlType::Binary(n) => fixed(173, i64::from(*n), 0, 0, 173),
        SqlType::VarBinary(n) => fixed(165, n.map_or(-1, i64::from), 0, 0, 165),
        SqlType::Image => fixed(34, 16, 0, 0, 34),
        SqlType::RowVersion => fixed(189, 8, 0, 0, 173),
        SqlType::Other(_) => fixed(0, 0, 0, 0, 0),
    }
}

/// The old large types show the length of their pointer.
fn pointed(facts: TypeFacts) -> TypeFacts {
    TypeFacts {
        max_length: 16,
        ..facts
    }
}

/// Bytes of a time with `n` fraction digits.
fn fraction(n: u8) -> i64 {
    match n {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

/// Bytes of a decimal, with its sign.
fn decimal_bytes(precision: u8) -> i64 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

/// The columns that the procedure returns, as SQL Server 2019 has them.
const COLUMNS: &[(&str, &str)] = &[
    ("is_hidden", "bit"),
    ("column_ordinal", "int"),
    ("name", "sysname"),
    ("is_nullable", "bit"),
    ("system_type_id", "int"),
    ("system_type_name", "nvarchar(256)"),
    ("max_length", "smallint"),
    ("precision", "tinyint"),
    ("scale", "tinyint"),
    ("collation_name", "sysname"),
    ("user_type_id", "int"),
    ("user_type_database", "sysname"),
    ("user_type_schema", "sysname"),
    ("user_type_name", "sysname"),
    ("assembly_qualified_type_name", "nvarchar(4000)"),
    ("xml_collection_id", "int"),
    ("xml_collection_database", "sysname"),
    ("xml_collection_schema", "sysname"),
    ("xml_collection_name", "sysname"),
    ("is_xml_document", "bit"),
    ("is_case_sensitive", "bit"),
    ("is_fixed_length_clr_type", "bit"),
    ("source_server", "sysname"),
    ("source_database", "sysname"),
    ("source_schema", "sysname"),
    ("source_table", "sysname"),
    ("source_column", "sysname"),
    ("is_identity_column", "bit"),
    ("is_part_of_unique_key", "bit"),
    ("is_updateable", "bit"),
    ("is_computed_column", "bit"),
    ("is_sparse_column_set", "bit"),
    ("ordinal_in_order_by_list", "smallint"),
    ("order_by_is_descending", "smallint"),
    ("order_by_list_length", "smallint"),
    ("tds_type_id", "int"),
    ("tds_length", "int"),
    ("tds_collation_id", "int"),
    ("tds_collation_sort_id", "tinyint"),
];

/// The described columns as the procedure's result.
pub(super) fn described(columns: &[ColumnMeta]) -> SqlResult<Table> {
    let rows = (1..).zip(columns).map(|(ordinal, column)| {
        let facts = type_facts(&column.sql_type);
        let mut row = vec![
            Cell::Int(0),
            Cell::Int(ordinal),
            // A column without a name has a null here.
            if column.name.is_empty() {
                Cell::Null
            } else {
                Cell::text(column.name.as_str())
            },
            Cell::Int(i64::from(column.nullable)),
            Cell::Int(facts.id),
            Cell::text(column.sql_type.to_string()),
            Cell::Int(facts.max_length),
            Cell::Int(facts.precision),
            Cell::Int(facts.scale),
            if facts.is_text {
                Cell::text(COLLATION)
            } else {
                Cell::Null
            },
        ];
        row.resize(19, Cell::Null);
        row.extend([Cell::Int(0), Cell::Int(0), Cell::Int(0)]);
        row.resize(27, Cell::Null);
        row.extend([0, 0, 0, 1, 0].map(Cell::Int));
        row.resize(35, Cell::Null);
        row.extend([
            Cell::Int(facts.tds),
            Cell::Int(if facts.max_length < 0 {
                65_535
            } else {
                facts.max_length
            }),
        ]);
        if facts.is_text {
            // Collation bytes of SQL_Latin1_General_CP1_CI_AS: LCID 0x0409, flags 0xD0, sort id 52.
            row.extend([Cell::Int(13_632_521), Cell::Int(52)]);
        }
        row
    });
    table(
        "sys",
        "sp_describe_first_result_set",
        COLUMNS,
        rows.collect(),
    )
}
