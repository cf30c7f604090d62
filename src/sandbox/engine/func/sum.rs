//! SUM as SQL Server computes it: exact, of the documented type, and error 8115 where it does not fit.
//!
//! DataFusion's own SUM wraps, so it is never used.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::func::carry;
use crate::sandbox::tsql::error::{SqlResult, internal, overflow};
use crate::sandbox::tsql::types::{arrow_type, exact_digits, signed};
use crate::sandbox::tsql::value::power_of_ten;

/// The aggregate SUM into `ret`.
///
/// # Errors
/// When the sandbox does not hold `ret`.
pub fn sum(ret: &SqlType) -> SqlResult<AggregateUDF> {
    let scale = exact_digits(ret).map_or(0, |(_, scale)| scale);
    let limit = match ret {
        SqlType::Int => i128::from(i32::MAX),
        SqlType::BigInt => i128::from(i64::MAX),
        SqlType::Money => i128::from(i64::MAX),
        _ => power_of_ten(38).unwrap_or(i128::MAX) - 1,
    };
    Ok(AggregateUDF::new_from_impl(Sum {
        name: format!("tsql_sum_{ret}"),
        ret: ret.clone(),
        arrow: arrow_type(ret)?,
        scale,
        limit,
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sum {
    name: String,
    ret: SqlType,
    arrow: DataType,
    scale: u8,
    /// Largest magnitude of the result.
    limit: i128,
    signature: Signature,
}

impl Sum {
    fn state_type(&self) -> DataType {
        DataType::Decimal128(38, signed(self.scale))
    }

    /// The argument in the form of the state.
    fn widen(&self, values: &[ArrayRef]) -> DfResult<Decimal128Array> {
        let array = values
            .first()
            .ok_or_else(|| carry(internal("SUM without an argument")))?;
        if let DataType::Decimal128(_, scale) = array.data_type()
            && *scale == signed(self.scale)
        {
            return Ok(array.as_primitive::<Decimal128Type>().clone());
        }
        Ok(arrow::compute::cast(array, &self.state_type())?
            .as_primitive::<Decimal128Type>()
            .clone())
    }

    fn add(&self, sum: i128, value: i128) -> DfResult<i128> {
        let next = sum
            .checked_add(value)
            .filter(|next| next.abs() <= self.limit);
        next.ok_or_else(|| {
            carry(overflow(
                if matches!(self.arrow, DataType::Decimal128(..)) {
                    "numeric".to_owned()
                } else {
                    self.ret.to_string()
                },
            ))
        })
    }

    /// Sums in the form of the result.
    fn result(&self, sums: Vec<i128>, seen: &[bool]) -> DfResult<ArrayRef> {
        let state = self.state(sums, seen)?;
        if state.data_type() == &self.arrow {
            Ok(state)
        } else {
            Ok(arrow::compute::cast(&state, &self.arrow)?)
        }
    }

    fn state(&self, sums: Vec<i128>, seen: &[bool]) -> DfResult<ArrayRef> {
        let nulls = NullBuffer::from_iter(seen.iter().copied());
        let array = PrimitiveArray::<Decimal128Type>::new(sums.into(), Some(nulls));
        Ok(Arc::new(
            array.with_precision_and_scale(38, signed(self.scale))?,
        ))
    }
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[sum]", args.name),
            self.state_type(),
            true,
        ))])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(One {
            spec: self.clone(),
            sum: None,
        }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups {
            spec: self.clone(),
            sums: Vec::new(),
            seen: Vec::new(),
        }))
    }

    fn order_sensitivity(&self) -> datafusion::logical_expr::utils::AggregateOrderSensitivity {
        datafusion::logical_expr::utils::AggregateOrderSensitivity::Insensitive
    }
}

/// A sum over everything.
#[derive(Debug)]
struct One {
    spec: Sum,
    sum: Option<i128>,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        for value in self.spec.widen(values)?.iter().flatten() {
            self.sum = Some(self.spec.add(self.sum.unwrap_or(0), value)?);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let array = self
            .spec
            .result(vec![self.sum.unwrap_or(0)], &[self.sum.is_some()])?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal128(
            self.sum,
            38,
            signed(self.spec.scale),
        )])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.update_batch(states)
    }
}

/// A sum per group.
#[derive(Debug)]
struct Groups {
    spec: Sum,
    sums: Vec<i128>,
    seen: Vec<bool>,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.sums.resize(total_num_groups, 0);
        self.seen.resize(total_num_groups, false);
        let array = self.spec.widen(values)?;
        for (row, (group, value)) in group_indices.iter().zip(array.iter()).enumerate() {
            let Some(value) = value else { continue };
            if opt_filter.is_some_and(|f| !(f.is_valid(row) && f.value(row))) {
                continue;
            }
            if let (Some(sum), Some(seen)) = (self.sums.get_mut(*group), self.seen.get_mut(*group))
            {
                *sum = self.spec.add(*sum, value)?;
                *seen = true;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let (sums, seen) = (
            emit_to.take_needed(&mut self.sums),
            emit_to.take_needed(&mut self.seen),
        );
        self.spec.result(sums, &seen)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let (sums, seen) = (
            emit_to.take_needed(&mut self.sums),
            emit_to.take_needed(&mut self.seen),
        );
        Ok(vec![self.spec.state(sums, &seen)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.update_batch(values, group_indices, None, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let array = self.spec.widen(values)?;
        let keep = |row: usize| opt_filter.is_none_or(|f| f.is_valid(row) && f.value(row));
        let kept: Decimal128Array = array
            .iter()
            .enumerate()
            .map(|(row, v)| v.filter(|_| keep(row)))
            .collect();
        Ok(vec![Arc::new(
            kept.with_precision_and_scale(38, signed(self.spec.scale))?,
        )])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.seen.capacity()
    }
}
