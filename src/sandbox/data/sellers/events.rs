//! What the seller centre charges its vendors: transactions, and the account statements that settle them.
//!
//! Every company has each of [`PLANS`] once; what comes beyond is drawn from the same plans. Draws nothing from the clock.

use crate::sandbox::data::chart::{Company, NEXT_START, START};
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::rng::Rng;
use crate::sandbox::data::systems::SystemSpec;

/// The system's number among the random streams of a company.
const STREAM: u64 = 4;
/// Open customer entries for each transaction.
const ENTRIES_EACH: u64 = 8;
const MONTH: i64 = day_number(START) * DAY_US;
const CUTOFF: i64 = day_number(NEXT_START) * DAY_US;
/// From the last tick of a day to the next day: `datetime` counts in three hundredths of a second.
const TICK: i64 = 3_000;

/// One transaction; times are microseconds since 1970, the amount is in units of 10^-4.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale {
    pub(super) id: i64,
    pub(super) created: i64,
    /// Position in [`super::GROUPS`].
    pub(super) group: usize,
    pub(super) amount: i128,
    pub(super) is_manual: bool,
    /// Number of its statement, which the statements may lack.
    pub(super) statement: Option<i64>,
    pub(super) dice: u64,
}

impl Sale {
    /// When its statement ended, if it did. An old one that no statement took was written off before the month.
    pub(super) fn settled(&self) -> Option<i64> {
        let statement = STATEMENTS.iter().find(|one| Some(one.id) == self.statement);
        let end = statement.and_then(|one| one.end);
        end.or_else(|| (self.created < MONTH).then_some(MONTH - TICK))
    }
}

/// A statement, as every company has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    pub(super) id: i64,
    pub(super) start: i64,
    pub(super) end: Option<i64>,
}

const fn statement(id: i64, start: (i32, u32, u32), end: Option<i64>) -> Statement {
    let start = day_number(start) * DAY_US;
    Statement { id, start, end }
}

pub(super) const STATEMENTS: [Statement; 6] = [
    statement(801, (2024, 3, 1), Some(MONTH - TICK)),
    statement(802, (2024, 3, 25), Some(MONTH + 14 * DAY_US)),
    statement(803, (2024, 4, 15), Some(CUTOFF - TICK)),
    statement(804, (2024, 4, 15), Some(CUTOFF)),
    statement(805, (2024, 4, 22), Some(CUTOFF + 6 * DAY_US)),
    statement(806, (2024, 4, 29), None),
];
/// A number that no statement has.
const UNKNOWN: i64 = 899;

/// When a transaction was created.
#[derive(Clone, Copy)]
enum When {
    Earlier,
    LastOfMarch,
    FirstOfMonth,
    Month,
    LastOfMonth,
    FirstOfNext,
}
use When::{Earlier, FirstOfMonth, FirstOfNext, LastOfMarch, LastOfMonth, Month};

/// When, position in the groups, and the statement.
const PLANS: [(When, usize, Option<i64>); 17] = [
    (Month, 0, None),
    (Month, 0, Some(802)),
    (Month, 1, Some(803)),
    (Month, 0, Some(804)),
    (Month, 2, Some(805)),
    (Month, 0, Some(806)),
    (Month, 0, Some(UNKNOWN)),
    (LastOfMonth, 0, None),
    (FirstOfNext, 0, None),
    (FirstOfMonth, 1, None),
    (LastOfMarch, 0, Some(802)),
    (LastOfMarch, 2, Some(803)),
    (Earlier, 0, Some(801)),
    (Earlier, 1, None),
    (Month, 3, None),
    (Month, 3, Some(804)),
    (Earlier, 3, None),
];

/// Every transaction of a company, in the order of their plans.
pub(super) fn sales(company: &Company, spec: SystemSpec) -> Vec<Sale> {
    let mut rng = Rng::new(spec.seed, spec.stream * 16 + STREAM);
    let beyond = usize::try_from(spec.open / ENTRIES_EACH).unwrap_or(0);
    let count = beyond.max(PLANS.len());
    (0..count)
        .filter_map(|place| {
            let drawn = if place < PLANS.len() {
                place
            } else {
                rng.index(PLANS.len())
            };
            let plan = PLANS.get(drawn)?;
            Some(draw(company, *plan, place, &mut rng))
        })
        .collect()
}

fn draw(
    company: &Company,
    (when, group, statement): (When, usize, Option<i64>),
    place: usize,
    rng: &mut Rng,
) -> Sale {
    let days = |rng: &mut Rng, days: u64| {
        let seconds = rng.below(days * 86_400);
        i64::try_from(seconds).unwrap_or(0) * 1_000_000
    };
    let created = match when {
        Earlier => MONTH - DAY_US - days(rng, 1_000),
        LastOfMarch => MONTH - TICK,
        FirstOfMonth => MONTH,
        // Before the first of its statements ends.
        Month => MONTH + days(rng, 14),
        LastOfMonth => CUTOFF - TICK,
        FirstOfNext => CUTOFF,
    };
    let dice = rng.next();
    // Hundredths of a dollar by hundredths of a rate: exact in four decimals. One in five is given back.
    let cents = i128::from(1 + rng.below(9_000));
    let sign = if dice.is_multiple_of(5) { -1 } else { 1 };
    Sale {
        id: 7_000_000 + i64::try_from(place).unwrap_or(0),
        created,
        group,
        amount: sign * cents * i128::from(company.rate_hundredths),
        is_manual: dice.is_multiple_of(7),
        statement,
        dice,
    }
}
