//! The functions of T-SQL as DataFusion knows them: one scalar implementation for all of them, and SUM.
//!
//! DataFusion is told the SQL types with the function, so that it never guesses one.

pub mod cast;
pub mod cell;
pub mod dates;
pub mod like;
pub mod scalar;
pub mod sum;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::cell::{Reader, Writer};
use crate::sandbox::engine::func::scalar::{Op, eval};
use crate::sandbox::tsql::error::SqlResult;
use crate::sandbox::tsql::types::{arrow_type, text_len};
use crate::sandbox::tsql::value::is_own_key;
use crate::sandbox::wire::SqlError;

/// A server error on its way through DataFusion.
pub fn carry(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// One use of a function: what it computes, over which types, into which type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    op: Op,
    args: Vec<SqlType>,
    ret: SqlType,
    arrow: DataType,
    name: String,
    signature: Signature,
}

/// The expression `op(args)` of type `ret`.
///
/// # Errors
/// When the sandbox does not hold `ret`.
pub fn call(op: Op, args: Vec<(Expr, SqlType)>, ret: &SqlType) -> SqlResult<Expr> {
    let (exprs, types): (Vec<Expr>, Vec<SqlType>) = args.into_iter().unzip();
    let name = format!("tsql_{op:?}_{ret}");
    let function = Function {
        op,
        args: types,
        ret: ret.clone(),
        arrow: arrow_type(ret)?,
        name,
        signature: Signature::variadic_any(Volatility::Immutable),
    };
    Ok(ScalarUDF::new_from_impl(function).call(exprs))
}

impl Function {
    /// The argument itself where the function changes nothing.
    fn unchanged(&self, array: &ArrayRef) -> bool {
        match &self.op {
            Op::Key => array
                .as_string_opt::<i32>()
                .is_some_and(|texts| texts.iter().flatten().all(is_own_key)),
            Op::Cast { style: None, .. } => {
                let same = array.data_type() == &self.arrow && self.args.first() == Some(&self.ret);
                let text = |ty: &SqlType| text_len(ty).map(|(len, _)| len);
                let longer = matches!(
                    (self.args.first().map(text), &self.ret),
                    (
                        Some(Some(_)),
                        SqlType::VarChar(None) | SqlType::NVarChar(None)
                    )
                );
                same || (longer && array.data_type() == &self.arrow)
            }
            _ => false,
        }
    }

    fn run(&self, arrays: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
        if let [array] = arrays
            && self.unchanged(array)
        {
            return Ok(Arc::clone(array));
        }
        let readers: Vec<Reader> = arrays
            .iter()
            .zip(&self.args)
            .map(|(array, ty)| Reader::new(array, ty))
            .collect::<SqlResult<_>>()?;
        let mut writer = Writer::new(&self.ret)?;
        let mut cells = Vec::with_capacity(readers.len());
        for row in 0..rows {
            cells.clear();
            cells.extend(readers.iter().map(|reader| reader.get(row)));
            writer.push(&eval(&self.op, &cells, &self.args, &self.ret)?)?;
        }
        Ok(writer.finish())
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = args
            .args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Scalar(value) => value.to_array(),
                ColumnarValue::Array(array) => Ok(Arc::clone(array)),
            })
            .collect::<DfResult<Vec<ArrayRef>>>()?;
        if scalar {
            let array = self.run(&arrays, 1).map_err(carry)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?));
        }
        self.run(&arrays, args.number_rows)
            .map(ColumnarValue::Array)
            .map_err(carry)
    }
}
