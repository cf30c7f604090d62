//! Counts what the rules of an item ask for, batch by batch: nulls, numbers and days out of bounds.
//!
//! May use Arrow, the contract and the rules. Names columns and counts, never a value.

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use chrono::{NaiveDate, NaiveTime};

use super::KernelError;
use super::conform::content_column;
use crate::domain::amount::Amount;
use crate::domain::contract::{Column, ColumnType, Contract};
use crate::domain::period::Period;
use crate::domain::quality::{ColumnRule, ColumnSeen, QualityRules, QualitySeen};

/// NAV writes it where there is no date.
const NO_DATE: Option<NaiveDate> = NaiveDate::from_ymd_opt(1753, 1, 1);

/// Counts over all batches of one item.
#[derive(Debug)]
pub struct RuleFold {
    columns: Vec<Watched>,
    rows: u64,
}

/// A column with its bounds in the units of its cells.
#[derive(Debug)]
struct Watched {
    ordinal: usize,
    column: Column,
    /// Smallest cell that may stand there.
    least: Option<i128>,
    /// Largest cell that may stand there.
    most: Option<i128>,
    /// A cell that is none.
    none: Option<i128>,
    seen: ColumnSeen,
}

impl RuleFold {
    /// Begins with no rows.
    ///
    /// # Errors
    /// [`KernelError::Rule`] for a column that is not there, or that the bounds of its rule do not fit.
    pub fn new(
        contract: &Contract,
        rules: &QualityRules,
        period: Period,
    ) -> Result<Self, KernelError> {
        let columns = rules.columns.iter();
        let columns = columns.map(|rule| watched(contract, rule, period));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            rows: 0,
        })
    }

    /// Adds one conformed batch.
    ///
    /// # Errors
    /// [`KernelError`] when the batch is not a conformed one of the contract.
    pub fn fold(&mut self, batch: &RecordBatch) -> Result<(), KernelError> {
        for watched in &mut self.columns {
            let column = &watched.column;
            let array = content_column(batch, watched.ordinal, &column.name, column.column_type)?;
            watched.count(array);
        }
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> QualitySeen {
        QualitySeen {
            rows: self.rows,
            columns: self.columns.into_iter().map(|one| one.seen).collect(),
        }
    }
}

fn watched(contract: &Contract, rule: &ColumnRule, period: Period) -> Result<Watched, KernelError> {
    let wrong = |what: &str| KernelError::Rule {
        column: rule.column.clone(),
        what: what.to_owned(),
    };
    let mut columns = contract.columns.iter().enumerate();
    let found = columns.find(|(_, column)| column.name == rule.column);
    let (ordinal, column) = found.ok_or_else(|| wrong("is no column of the contract"))?;
    let kind = column.column_type;
    let number = |bound: Option<Amount>| {
        let Some(bound) = bound else { return Ok(None) };
        let scale = kind
            .scale()
            .ok_or_else(|| wrong("has bounds of a number and is none"))?;
        let units = bound.rescale(scale).map(|bound| bound.units());
        units
            .map(Some)
            .map_err(|_| wrong("is not as fine as its bound"))
    };
    let day = |bound: Option<NaiveDate>| match (bound, kind) {
        (None, _) => Ok(None),
        (Some(day), ColumnType::Date) => Ok(Some(i128::from(days(day)))),
        (Some(day), ColumnType::DateTime) => Ok(Some(i128::from(micros(day)))),
        _ => Err(wrong("has bounds of a date and is none")),
    };
    let from = day(rule.from.map(|bound| bound.day(period)))?;
    let before = day(rule.before.map(|bound| bound.day(period)))?;
    Ok(Watched {
        ordinal,
        column: column.clone(),
        least: number(rule.min)?.or(from),
        most: number(rule.max)?.or(before.map(|before| before - 1)),
        none: match kind {
            ColumnType::Date => NO_DATE.map(|day| i128::from(days(day))),
            ColumnType::DateTime => NO_DATE.map(|day| i128::from(micros(day))),
            _ => None,
        },
        seen: ColumnSeen {
            column: rule.column.clone(),
            ..ColumnSeen::default()
        },
    })
}

/// Microseconds from 1970 at which a day begins.
fn micros(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Days from 1970.
fn days(day: NaiveDate) -> i64 {
    micros(day).div_euclid(86_400_000_000)
}

impl Watched {
    fn count(&mut self, array: &ArrayRef) {
        match self.column.column_type {
            ColumnType::Int16 => self.cells(
                array
                    .as_primitive::<Int16Type>()
                    .iter()
                    .map(|c| c.map(i128::from)),
            ),
            ColumnType::Int32 => self.cells(
                array
                    .as_primitive::<Int32Type>()
                    .iter()
                    .map(|c| c.map(i128::from)),
            ),
            ColumnType::Int64 => self.cells(
                array
                    .as_primitive::<Int64Type>()
                    .iter()
                    .map(|c| c.map(i128::from)),
            ),
            ColumnType::Decimal { .. } => self.cells(array.as_primitive::<Decimal128Type>().iter()),
            ColumnType::Date => self.cells(
                array
                    .as_primitive::<Date32Type>()
                    .iter()
                    .map(|c| c.map(i128::from)),
            ),
            ColumnType::DateTime => {
                let cells = array.as_primitive::<TimestampMicrosecondType>().iter();
                self.cells(cells.map(|c| c.map(i128::from)));
            }
            // NAV writes an empty text where there is none.
            ColumnType::Text => {
                let texts = array.as_string::<i32>().iter();
                let empty = texts.filter(|text| text.is_none_or(|text| text.trim().is_empty()));
                self.seen.nulls += u64::try_from(empty.count()).unwrap_or(u64::MAX);
            }
            _ => self.seen.nulls += u64::try_from(array.null_count()).unwrap_or(u64::MAX),
        }
    }

    fn cells(&mut self, cells: impl Iterator<Item = Option<i128>>) {
        for cell in cells {
            match cell.filter(|cell| self.none != Some(*cell)) {
                None => self.seen.nulls += 1,
                Some(cell) => {
                    self.seen.below += u64::from(self.least.is_some_and(|least| cell < least));
                    self.seen.above += u64::from(self.most.is_some_and(|most| cell > most));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, StringArray, TimestampMicrosecondArray};

    use super::*;
    use crate::domain::quality::DayBound;
    use crate::kernels::samples::{batch, column, contract};

    fn item() -> Contract {
        contract(vec![
            column("id_company", "varchar(20)"),
            column("used", "decimal(19,4)"),
            column("day", "datetime"),
        ])
    }

    fn rule(column: &str) -> ColumnRule {
        ColumnRule {
            column: column.to_owned(),
            ..ColumnRule::default()
        }
    }

    fn rules() -> QualityRules {
        QualityRules {
            columns: vec![
                ColumnRule {
                    min: Some("0".parse().unwrap()),
                    max: Some("10.5".parse().unwrap()),
                    ..rule("used")
                },
                ColumnRule {
                    from: DayBound::of("2019-01-01"),
                    before: DayBound::of("@next_start"),
                    ..rule("day")
                },
                rule("id_company"),
            ],
            ..QualityRules::default()
        }
    }

    fn rows(used: &[Option<i128>], days: &[Option<&str>]) -> RecordBatch {
        let companies = ["", "EC_NG", " "].iter().cycle().take(used.len());
        let companies = StringArray::from_iter_values(companies);
        let used = Decimal128Array::from(used.to_vec());
        let used = used.with_precision_and_scale(19, 4).unwrap();
        let days = days.iter().map(|day| {
            day.map(|day| {
                let moment = chrono::NaiveDateTime::parse_from_str(day, "%Y-%m-%d %H:%M:%S%.f");
                moment.unwrap().and_utc().timestamp_micros()
            })
        });
        let days: TimestampMicrosecondArray = days.collect();
        batch(
            &item(),
            vec![Arc::new(companies), Arc::new(used), Arc::new(days)],
        )
    }

    #[test]
    fn bounds_are_counted_to_the_last_tick_and_an_empty_date_is_none() {
        let month = "2024-04".parse().unwrap();
        let mut fold = RuleFold::new(&item(), &rules(), month).unwrap();
        fold.fold(&rows(
            &[Some(0), Some(-1), Some(105_000)],
            &[
                Some("2024-04-30 23:59:59.999999"),
                Some("2024-05-01 00:00:00"),
                Some("1753-01-01 00:00:00"),
            ],
        ))
        .unwrap();
        fold.fold(&rows(
            &[Some(105_001), None],
            &[Some("2018-12-31 23:59:59"), None],
        ))
        .unwrap();
        let seen = fold.finish();
        let of = |place: usize| {
            let column: &ColumnSeen = &seen.columns[place];
            (column.nulls, column.below, column.above)
        };
        assert_eq!(seen.rows, 5);
        assert_eq!(of(0), (1, 1, 1));
        assert_eq!(of(1), (2, 1, 1));
        assert_eq!(of(2), (3, 0, 0), "an empty text is none");
    }

    #[test]
    fn a_rule_that_does_not_fit_its_column_is_an_error() {
        let month = "2024-04".parse().unwrap();
        let refused = |rule: ColumnRule| {
            let rules = QualityRules {
                columns: vec![rule],
                ..QualityRules::default()
            };
            RuleFold::new(&item(), &rules, month)
                .unwrap_err()
                .to_string()
        };
        let number = |column: &str, min: &str| ColumnRule {
            min: Some(min.parse().unwrap()),
            ..rule(column)
        };
        assert!(refused(number("nowhere", "0")).contains("is no column of the contract"));
        assert!(refused(number("day", "0")).contains("bounds of a number"));
        assert!(refused(number("used", "0.00001")).contains("is not as fine"));
        let dated = ColumnRule {
            from: DayBound::of("2024-01-01"),
            ..rule("used")
        };
        assert!(refused(dated).contains("bounds of a date"));
    }
}
