//! What the contract says of an item, as it is summed.

use super::filter::{Condition, Literal, Test};
use super::sums::{SumSpec, Term};
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{self, Sign, Source, Value};

impl SumSpec {
    /// The sums that a source of the contract asks for in a month. A null in a condition leaves its row undecided. An amount
    /// whose sign nobody knows is summed as it stands; it is shown and subtracted from nothing.
    #[must_use]
    pub fn of(source: &Source, period: Period) -> Self {
        let terms = source.amount.iter().map(|term| Term {
            column: term.column.clone(),
            negative: term.negative,
        });
        let conditions = source.conditions.iter();
        Self {
            company: source.company.clone(),
            account: source.gl.clone(),
            negative: source.sign == Sign::Minus,
            terms: terms.collect(),
            conditions: conditions.map(|one| condition(one, period)).collect(),
        }
    }
}

/// A condition of the contract in a month. A null leaves its row undecided.
#[must_use]
pub fn condition(condition: &contract::Condition, period: Period) -> Condition {
    let test = match &condition.test {
        contract::Test::Is(values) => {
            let values = values.iter().map(|value| match value {
                Value::Int(number) => Literal::Int(*number),
                Value::Text(text) => Literal::Text(text.clone()),
            });
            Test::OneOf(values.collect())
        }
        contract::Test::Meets(patterns) => Test::Meets(patterns.clone()),
        contract::Test::AtLeast(day) => Test::AtLeast(Literal::Day(day.of(period))),
        contract::Test::Below(day) => Test::Below(Literal::Day(day.of(period))),
    };
    Condition::new(&condition.column, test)
}
