//! Parameters of a request as variables of its batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::bind::Variables;
use crate::sandbox::wire::SqlParam;

/// Microseconds from 0001-01-01 to 1970-01-01.
const YEAR_ONE_US: i64 = 719_162 * 86_400_000_000;

/// The variables that `params` declare; those without a name are `@P1`, `@P2`, … by position.
pub(super) fn variables_of(params: &[SqlParam]) -> Variables {
    let named = params.iter().enumerate().map(|(index, param)| {
        let name = match param.name.as_str() {
            "" => format!("@p{}", index + 1),
            name => name.to_lowercase(),
        };
        (name, (param.sql_type.clone(), Some(carried(param))))
    });
    named.collect()
}

/// The value of a parameter in the engine's Arrow type: `datetime2(7)` may come as ticks of 100 ns since year 1.
fn carried(param: &SqlParam) -> ArrayRef {
    match (&param.sql_type, param.value.as_primitive_opt::<Int64Type>()) {
        (SqlType::DateTime2(_), Some(ticks)) => {
            let micros = |ticks: i64| ticks / 10 - YEAR_ONE_US;
            Arc::new(ticks.unary::<_, TimestampMicrosecondType>(micros))
        }
        _ => Arc::clone(&param.value),
    }
}
