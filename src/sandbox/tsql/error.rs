//! SQL Server's errors with their numbers and texts, as the sandbox raises them.
//!
//! Everything that the sandbox does not support goes through [`unsupported`], so that a client sees the name of the
//! construct and never a wrong answer.

use crate::sandbox::wire::SqlError;

/// Result of everything that can answer with a server error.
pub type SqlResult<T> = Result<T, SqlError>;

/// An error of the given number and class.
pub fn error(number: u32, class: u8, message: impl Into<String>) -> SqlError {
    SqlError {
        number,
        class,
        state: 1,
        message: message.into(),
        procedure: String::new(),
        line: 1,
    }
}

/// The sandbox's own refusal of a construct that it does not know (number 40517, class 16).
pub fn unsupported(construct: impl std::fmt::Display) -> SqlError {
    error(
        40_517,
        16,
        format!("The sandbox does not support {construct}."),
    )
}

/// 102: the text is not T-SQL.
pub fn syntax(detail: impl std::fmt::Display) -> SqlError {
    error(102, 15, format!("Incorrect syntax: {detail}"))
}

/// 137: a variable nobody declared.
pub fn unknown_variable(name: &str) -> SqlError {
    error(
        137,
        15,
        format!("Must declare the scalar variable \"{name}\"."),
    )
}

/// 207: no such column.
pub fn unknown_column(name: &str) -> SqlError {
    error(207, 16, format!("Invalid column name '{name}'."))
}

/// 4104: an alias or table that is not in the FROM clause.
pub fn unknown_qualifier(name: &str) -> SqlError {
    error(
        4104,
        16,
        format!("The multi-part identifier \"{name}\" could not be bound."),
    )
}

/// 209: two tables have this column.
pub fn ambiguous_column(name: &str) -> SqlError {
    error(209, 16, format!("Ambiguous column name '{name}'."))
}

/// 208: no such table.
pub fn unknown_table(name: &str) -> SqlError {
    error(208, 16, format!("Invalid object name '{name}'."))
}

/// 8115: a value does not fit its type.
pub fn overflow(type_name: impl std::fmt::Display) -> SqlError {
    error(
        8115,
        16,
        format!("Arithmetic overflow error converting expression to data type {type_name}."),
    )
}

/// 8134: division by zero.
pub fn division_by_zero() -> SqlError {
    error(8134, 16, "Divide by zero error encountered.")
}

/// 245: a text that is not a number, and its like.
pub fn conversion_failed(from: &str, value: &str, to: impl std::fmt::Display) -> SqlError {
    error(
        245,
        16,
        format!("Conversion failed when converting the {from} value '{value}' to data type {to}."),
    )
}

/// 241: a text that is not a date or time.
pub fn bad_date() -> SqlError {
    error(
        241,
        16,
        "Conversion failed when converting date and/or time from character string.",
    )
}

/// 242: a date outside the type's range.
pub fn date_range(to: impl std::fmt::Display) -> SqlError {
    error(
        242,
        16,
        format!("The conversion to data type {to} resulted in an out-of-range value."),
    )
}

/// 206 and its like: two types that do not go together.
pub fn type_clash(left: impl std::fmt::Display, right: impl std::fmt::Display) -> SqlError {
    error(
        206,
        16,
        format!("Operand type clash: {left} is incompatible with {right}"),
    )
}

/// 8120: a bare column beside an aggregate.
pub fn not_grouped(name: &str) -> SqlError {
    error(
        8120,
        16,
        format!(
            "Column '{name}' is invalid in the select list because it is not contained in either an aggregate \
             function or the GROUP BY clause."
        ),
    )
}

/// 229: the login may not do this.
pub fn denied(action: &str, object: &str) -> SqlError {
    error(
        229,
        14,
        format!("The {action} permission was denied on the object '{object}'."),
    )
}

/// 512: a subquery in place of one value gave several.
pub fn several_values() -> SqlError {
    error(
        512,
        16,
        "Subquery returned more than 1 value where one value is expected.",
    )
}

/// 50000 family: what should not happen, without a panic.
pub fn internal(detail: impl std::fmt::Display) -> SqlError {
    error(8624, 16, format!("Internal error of the sandbox: {detail}"))
}
