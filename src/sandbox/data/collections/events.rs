//! What happened to the cash of a company: collected, moved between partners, received with lists, paid to the bank.
//!
//! Every company has each of [`PLANS`] once, however small it is, so that every predicate of the item has rows to remove;
//! what comes beyond is drawn from the same plans. Draws nothing from the clock; never touches Arrow.

use crate::sandbox::data::chart::{Company, NEXT_START, START};
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::rng::Rng;
use crate::sandbox::data::systems::SystemSpec;

/// The system's number among the random streams of a company.
const STREAM: u64 = 3;
/// Open customer entries for each collection.
const ENTRIES_EACH: u64 = 8;
/// The first tick of the first day after the period.
const CUTOFF: i64 = day_number(NEXT_START) * DAY_US;
/// The last tick before it: `datetime` counts in three hundredths of a second.
const LAST_TICK: i64 = CUTOFF - 3_000;
const MONTH_START: i64 = day_number(START);
const FIRST_DAY: i64 = day_number((2021, 1, 4));

/// The table that a collection stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Branch {
    Transaction,
    Reallocation,
    List,
    Payment,
}

/// One collection as its table holds it; times are microseconds since 1970, amounts units of 10^-4.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection {
    pub(super) branch: Branch,
    pub(super) id: i64,
    pub(super) line: i32,
    pub(super) kind: &'static str,
    pub(super) hub: Option<&'static str>,
    pub(super) partner: Option<&'static str>,
    pub(super) created: i64,
    /// When it began to be open, if it did.
    pub(super) event: Option<i64>,
    /// As the source writes it: a payment is positive there.
    pub(super) amount: i128,
    /// What was applied of a list, and when.
    pub(super) applied: Option<(i64, i128)>,
    /// When it ended: listed, received, forced or arrived.
    pub(super) closed: Option<i64>,
    /// The list that it is in waits, so that it has not ended.
    pub(super) waits: bool,
}

/// When a collection begins.
#[derive(Clone, Copy)]
enum When {
    Earlier,
    Month,
    LastTick,
    FirstTick,
    Never,
}

/// How it ends.
#[derive(Clone, Copy)]
enum End {
    Open,
    /// Some days later, before the month or in it.
    Soon,
    /// In the month.
    InMonth,
    AtLastTick,
    AtFirstTick,
    Later,
    /// In a list of the month that waits.
    Waiting,
    /// A list that is applied whole.
    Applied,
    /// A list that is applied in part, before the cutoff or after it.
    Partly,
    PartlyLate,
    /// A list of which more was applied than received: nothing of it is open.
    Beyond,
}

use Branch::{List, Payment, Reallocation, Transaction};
use End::{
    Applied, AtFirstTick, AtLastTick, Beyond, InMonth, Later, Open, Partly, PartlyLate, Soon,
    Waiting,
};
use When::{Earlier, FirstTick, LastTick, Month, Never};

/// Who collects: a partner by name, one that the hub is mapped to, one without a bank account, nobody that is known.
const OWNERS: [(Option<&str>, Option<&str>); 5] = [
    (Some("CP-001"), Some("HUB-01")),
    (None, Some("HUB-02")),
    (Some("CP-003"), None),
    (None, Some("Hub é 99")),
    (None, None),
];
/// The owner whose money goes to the main bank account, which is no collection account: by name, and by the hub.
const MAIN: [(Option<&str>, Option<&str>); 2] = [
    (Some(super::MAIN_PARTNER), Some("HUB-01")),
    (None, Some(super::MAIN_HUB)),
];

struct Plan {
    branch: Branch,
    kind: &'static str,
    when: When,
    end: End,
    is_main: bool,
}

const fn plan(branch: Branch, kind: &'static str, when: When, end: End) -> Plan {
    Plan {
        branch,
        kind,
        when,
        end,
        is_main: false,
    }
}

const fn main_bank(branch: Branch, kind: &'static str) -> Plan {
    Plan {
        is_main: true,
        ..plan(branch, kind, When::Month, End::Open)
    }
}

const COLLECTED: &str = "Third Party Collection";
const MOVED: &str = "Reallocation From";
const LISTED: &str = "Translist in progress";

const PLANS: [Plan; 38] = [
    plan(Transaction, COLLECTED, Month, Open),
    plan(Transaction, COLLECTED, Earlier, Open),
    plan(Transaction, COLLECTED, Earlier, Soon),
    plan(Transaction, COLLECTED, Earlier, InMonth),
    plan(Transaction, COLLECTED, Month, Waiting),
    plan(Transaction, COLLECTED, Month, AtFirstTick),
    plan(Transaction, COLLECTED, Month, AtLastTick),
    plan(Transaction, COLLECTED, LastTick, Open),
    plan(Transaction, COLLECTED, FirstTick, Open),
    plan(Transaction, "Transfer to", Month, Later),
    plan(Transaction, "Transfer to", Never, Open),
    plan(Transaction, "Transfer From", Earlier, Open),
    plan(Transaction, "Payment - Rev", Month, Open),
    plan(Transaction, "Payment Charges Rev", Earlier, Soon),
    plan(Transaction, "Payment", Month, Open),
    plan(Transaction, "Cash Deposit", Earlier, Open),
    main_bank(Transaction, COLLECTED),
    plan(Reallocation, MOVED, Earlier, Open),
    plan(Reallocation, MOVED, Month, Soon),
    plan(Reallocation, MOVED, Earlier, InMonth),
    plan(Reallocation, MOVED, Month, AtFirstTick),
    plan(Reallocation, MOVED, LastTick, Later),
    plan(Reallocation, MOVED, FirstTick, Open),
    plan(List, LISTED, Month, Open),
    plan(List, LISTED, Earlier, Partly),
    plan(List, LISTED, Earlier, Applied),
    plan(List, LISTED, Month, PartlyLate),
    plan(List, LISTED, Earlier, Soon),
    plan(List, LISTED, Month, Beyond),
    plan(List, LISTED, LastTick, Open),
    plan(List, LISTED, Earlier, InMonth),
    plan(Payment, "Payment", Month, Open),
    plan(Payment, "Transfer", Earlier, Soon),
    plan(Payment, "Payment", Earlier, InMonth),
    plan(Payment, "Payment", Month, AtLastTick),
    plan(Payment, "Transfer", Month, AtFirstTick),
    plan(Payment, "Payment", LastTick, Later),
    main_bank(Payment, "Payment"),
];

/// Every collection of a company, in the order of their plans.
pub(super) fn collections(company: &Company, spec: SystemSpec) -> Vec<Collection> {
    let mut rng = Rng::new(spec.seed, spec.stream * 16 + STREAM);
    let whole = PLANS.iter();
    let beyond = usize::try_from(spec.open / ENTRIES_EACH).unwrap_or(0);
    let beyond = beyond.saturating_sub(PLANS.len());
    let mut all = Vec::with_capacity(PLANS.len() + beyond);
    for plan in whole {
        all.push(draw(company, plan, all.len(), &mut rng));
    }
    for _ in 0..beyond {
        if let Some(plan) = PLANS.get(rng.index(PLANS.len())) {
            all.push(draw(company, plan, all.len(), &mut rng));
        }
    }
    all
}

fn draw(company: &Company, plan: &Plan, place: usize, rng: &mut Rng) -> Collection {
    let number = i64::try_from(place).unwrap_or(0);
    // Two lines share a number, except transactions: theirs tells them apart alone.
    let (id, line) = match plan.branch {
        Branch::Transaction => (1_000_000 + number, 1),
        Branch::Reallocation | Branch::List | Branch::Payment => {
            let line = if number % 2 == 0 { 1 } else { 2 };
            (5_000_000 + number / 2, line)
        }
    };
    let event = match plan.when {
        When::Earlier => Some(moment(rng, FIRST_DAY, MONTH_START - FIRST_DAY)),
        When::Month => Some(moment(rng, MONTH_START, 28)),
        When::LastTick => Some(LAST_TICK),
        When::FirstTick => Some(CUTOFF),
        When::Never => None,
    };
    let created = event.unwrap_or_else(|| moment(rng, MONTH_START, 28));
    // Hundredths of a dollar by hundredths of a rate: exact in four decimals.
    let cents = i128::from(1 + rng.below(40_000));
    let takes = matches!(
        plan.kind,
        "Transfer From" | "Payment - Rev" | "Payment Charges Rev"
    );
    let amount = cents * i128::from(company.rate_hundredths);
    let amount = if takes { -amount } else { amount };
    let owners: &[_] = if plan.is_main { &MAIN } else { &OWNERS };
    let owner = owners.get(rng.index(owners.len()));
    let (partner, hub) = owner.copied().unwrap_or_default();
    let (applied, closed) = ended(plan, created, amount, rng);
    Collection {
        branch: plan.branch,
        id,
        line,
        kind: plan.kind,
        hub,
        partner,
        created,
        event,
        amount,
        applied,
        closed,
        waits: matches!(plan.end, End::Waiting),
    }
}

/// What was applied, and when it ended.
fn ended(
    plan: &Plan,
    created: i64,
    amount: i128,
    rng: &mut Rng,
) -> (Option<(i64, i128)>, Option<i64>) {
    let later = i64::try_from(1 + rng.below(20)).unwrap_or(1) * DAY_US;
    let soon = (created + later).min(LAST_TICK);
    match plan.end {
        End::Open => (None, None),
        End::Soon => (None, Some(soon)),
        End::InMonth | End::Waiting => (None, Some(moment(rng, MONTH_START + 28, 2))),
        End::AtLastTick => (None, Some(LAST_TICK)),
        End::AtFirstTick => (None, Some(CUTOFF)),
        End::Later => (None, Some(CUTOFF + later)),
        End::Applied => (Some((soon, amount)), None),
        End::Partly => (Some((soon, amount / 3)), None),
        End::PartlyLate => (Some((CUTOFF + later, amount / 3)), None),
        End::Beyond => (Some((soon, amount + 10_000)), None),
    }
}

/// A moment in one of `days` days from `first`, to the second.
fn moment(rng: &mut Rng, first: i64, days: i64) -> i64 {
    let days = u64::try_from(days).unwrap_or(1);
    let day = first + i64::try_from(rng.below(days)).unwrap_or(0);
    let second = i64::try_from(rng.below(86_400)).unwrap_or(0);
    day * DAY_US + second * 1_000_000
}
