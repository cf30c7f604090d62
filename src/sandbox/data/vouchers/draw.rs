//! Vouchers drawn from a seed: every turn that a voucher's life can take, also at the last tick of the month.
//!
//! What is owed is used, delivered and posted on the same side of every month end, so that a clean ledger ties.

use crate::sandbox::data::chart::Company;
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::ledger::NO_DATE_US;
use crate::sandbox::data::rng::Rng;
use crate::sandbox::data::systems::SystemSpec;

use super::life::{
    BusinessUse, CUTOFF, EndedBy, LAST_TICK, LEDGER_BEGINS, Life, OPENING, Use, Voucher,
};

/// What becomes of a voucher.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plan {
    Open,
    Created(i64),
    CreatedInMonth,
    UsedInPart,
    UsedUp,
    UsedInMonth,
    UsedLater,
    Delivered(i64),
    Expired,
    ExpiredInMonth,
    Expires(i64),
    Cancelled,
    CancelledInMonth,
    CancelledLater,
    CancelledAt(i64),
    /// Issued before the shop's vouchers are looked at.
    Old,
    Advertised,
    /// Marketing, on an order that is on its way.
    OnItsWay,
    /// Marketing, as a coupon.
    Coupon,
    /// Marketing, delivered on the day that means none.
    NoDate,
    /// Marketing, ended with its template.
    Withdrawn,
    /// Without a business use, which a rule of the shop adds in the night.
    Unsaid,
}

/// Half past six on the last evening.
const EVENING: i64 = CUTOFF - 11 * DAY_US / 48;

/// Each company has every one of them.
const PLANS: [Plan; 32] = [
    Plan::Open,
    Plan::UsedUp,
    Plan::UsedInPart,
    Plan::Cancelled,
    Plan::Created(CUTOFF - LAST_TICK),
    Plan::Created(CUTOFF),
    Plan::CreatedInMonth,
    Plan::UsedInMonth,
    Plan::Advertised,
    Plan::UsedLater,
    Plan::Delivered(CUTOFF - LAST_TICK),
    Plan::Delivered(CUTOFF),
    Plan::Expired,
    Plan::Open,
    Plan::ExpiredInMonth,
    Plan::Expires(CUTOFF - LAST_TICK),
    Plan::Expires(CUTOFF),
    Plan::OnItsWay,
    Plan::CancelledInMonth,
    Plan::CancelledAt(EVENING),
    Plan::CancelledLater,
    Plan::CancelledAt(CUTOFF),
    Plan::Coupon,
    Plan::UsedInPart,
    Plan::Old,
    Plan::NoDate,
    Plan::Withdrawn,
    Plan::Cancelled,
    Plan::Unsaid,
    Plan::UsedUp,
    Plan::CreatedInMonth,
    Plan::Open,
];

/// What is owed to somebody, for nearly as many refunds as for the rest.
const OWED: [BusinessUse; 9] = [
    BusinessUse::Refund,
    BusinessUse::Apology,
    BusinessUse::JForce,
    BusinessUse::Refund,
    BusinessUse::StoreCredit,
    BusinessUse::Refund,
    BusinessUse::Pay("GC"),
    BusinessUse::Pay("JP"),
    BusinessUse::Pay("WA"),
];

/// Where the vouchers of a system begin in the random streams.
const STREAM: u64 = 2;
/// First number of a voucher.
const FIRST_ID: u64 = 40_000_000;

/// A voucher of a company with its running number.
pub(super) struct Drawn {
    pub(super) number: u64,
    id: String,
    code: String,
    life: Life,
}

impl Drawn {
    pub(super) fn voucher(&self) -> Voucher<'_> {
        Voucher {
            id: &self.id,
            code: &self.code,
            life: self.life,
        }
    }
}

/// Vouchers of a company, one after the other.
pub(super) struct Draw {
    rng: Rng,
    rate: i64,
    next: u64,
    count: u64,
}

impl Draw {
    pub(super) fn new(company: &Company, spec: SystemSpec) -> Self {
        let least = u64::try_from(PLANS.len()).unwrap_or(u64::MAX);
        Self {
            rng: Rng::new(spec.seed, spec.stream * 16 + STREAM),
            rate: company.rate_hundredths,
            next: 0,
            count: least.max(spec.open / 8),
        }
    }

    /// A second of one of the days from `from` up to the one before `until`, both in microseconds.
    fn moment(&mut self, from: i64, until: i64) -> i64 {
        let seconds = u64::try_from((until - from) / 1_000_000).unwrap_or(0);
        from + i64::try_from(self.rng.below(seconds)).unwrap_or(0) * 1_000_000
    }

    /// Dollar hundredths times hundredths of the rate: exact in ten-thousandths of the local currency.
    fn money(&mut self) -> i64 {
        let dollar_hundredths = 200 + self.rng.below(9_800);
        i64::try_from(dollar_hundredths).unwrap_or(0) * self.rate
    }

    fn owed(&mut self) -> BusinessUse {
        let place = self.rng.index(OWED.len());
        OWED.get(place).copied().unwrap_or(BusinessUse::Refund)
    }

    /// Refunds do not expire.
    fn owed_for_a_time(&mut self) -> BusinessUse {
        match self.owed() {
            BusinessUse::Refund => BusinessUse::Apology,
            other => other,
        }
    }

    /// A voucher of the past that nothing has happened to, valid long after the month.
    fn fresh(&mut self, usage: BusinessUse) -> Life {
        let created = self.moment(LEDGER_BEGINS + 3 * DAY_US, OPENING - 40 * DAY_US);
        Life {
            usage,
            amount: self.money(),
            created,
            to: self.moment(CUTOFF + 30 * DAY_US, CUTOFF + 900 * DAY_US),
            uses: [None; 2],
            ended: None,
        }
    }

    fn life(&mut self, plan: Plan) -> Life {
        let usage = match plan {
            Plan::Advertised | Plan::OnItsWay | Plan::Coupon | Plan::NoDate | Plan::Withdrawn => {
                BusinessUse::Marketing
            }
            Plan::Unsaid => BusinessUse::Unsaid,
            Plan::Expired | Plan::ExpiredInMonth | Plan::Expires(_) => self.owed_for_a_time(),
            _ => self.owed(),
        };
        let mut life = self.fresh(usage);
        let past = life.created + 5 * DAY_US;
        match plan {
            Plan::Open | Plan::Advertised => {}
            Plan::Created(at) => life.created = at,
            Plan::CreatedInMonth => life.created = self.moment(OPENING, CUTOFF),
            Plan::UsedInPart => {
                let at = self.moment(past, OPENING);
                life.uses = [Some(delivered(&life, at, life.amount / 3)), None];
            }
            Plan::UsedUp => self.use_up(&mut life, past, OPENING),
            Plan::UsedInMonth => self.use_up(&mut life, OPENING, CUTOFF),
            Plan::UsedLater => self.use_up(&mut life, CUTOFF, CUTOFF + 18 * DAY_US),
            Plan::Delivered(at) => {
                life.uses = [Some(delivered(&life, at, life.amount / 4)), None];
            }
            Plan::Expired => {
                life.to = self.moment(past + DAY_US, OPENING);
                let at = self.moment(life.created + DAY_US, past);
                life.uses = [Some(delivered(&life, at, life.amount / 5)), None];
            }
            Plan::ExpiredInMonth => life.to = self.moment(OPENING, CUTOFF),
            Plan::Expires(at) => life.to = at,
            Plan::Cancelled => self.cancel(&mut life, past, OPENING),
            Plan::CancelledInMonth => self.cancel(&mut life, OPENING, CUTOFF),
            Plan::CancelledLater => self.cancel(&mut life, CUTOFF, CUTOFF + 18 * DAY_US),
            Plan::CancelledAt(at) => self.cancel(&mut life, at, at),
            Plan::Old => {
                life.created = day_number((2017, 1, 1)) * DAY_US - LAST_TICK;
            }
            Plan::OnItsWay | Plan::Coupon | Plan::NoDate => self.advertise(&mut life, plan),
            Plan::Withdrawn => {
                life.ended = Some((self.moment(past, OPENING), EndedBy::Template));
            }
            Plan::Unsaid => life.created = self.moment(CUTOFF, CUTOFF + DAY_US),
        }
        life
    }

    /// Two orders, the second of which takes the rest.
    fn use_up(&mut self, life: &mut Life, from: i64, until: i64) {
        let (one, two) = (self.moment(from, until), self.moment(from, until));
        let part = life.amount / 5 * 2;
        life.uses = [
            Some(delivered(life, one.min(two), part)),
            Some(delivered(life, one.max(two), life.amount - part)),
        ];
    }

    /// Cancelled with what is left on it; the agents' vouchers never are.
    fn cancel(&mut self, life: &mut Life, from: i64, until: i64) {
        if life.usage == BusinessUse::JForce {
            life.usage = BusinessUse::Refund;
        }
        // A template was ended in earlier months only.
        let by = if self.rng.percent(25) && until <= OPENING {
            EndedBy::Template
        } else {
            EndedBy::Voucher
        };
        let at = self.moment(from, until);
        if self.rng.percent(40) {
            let used = life.created + 2 * DAY_US;
            life.uses = [Some(delivered(life, used, life.amount / 3)), None];
        }
        life.ended = Some((at, by));
    }

    fn advertise(&mut self, life: &mut Life, plan: Plan) {
        let at = self.moment(OPENING, CUTOFF - 4 * DAY_US);
        let mut one = delivered(life, at, life.amount);
        match plan {
            Plan::OnItsWay => one.delivered = None,
            Plan::NoDate => one.delivered = Some(NO_DATE_US),
            _ => one.is_coupon = true,
        }
        life.uses = [Some(one), None];
    }
}

impl Iterator for Draw {
    type Item = Drawn;

    fn next(&mut self) -> Option<Drawn> {
        if self.next == self.count {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let slot = usize::try_from(number).unwrap_or(0) % PLANS.len();
        let life = self.life(PLANS.get(slot).copied().unwrap_or(Plan::Open));
        let letters = self.rng.below(0x10_0000);
        Some(Drawn {
            number,
            id: (FIRST_ID + number).to_string(),
            code: format!("{}-{number:06}-{letters:05X}", life.usage.prefix()),
            life,
        })
    }
}

/// An order that was delivered at `at` and ordered up to three days before, in the same month where it can.
fn delivered(life: &Life, at: i64, amount: i64) -> Use {
    let month = [OPENING, CUTOFF].into_iter().rfind(|end| *end <= at);
    let ordered = (at - 3 * DAY_US).max(month.unwrap_or(life.created));
    Use {
        ordered: ordered.max(life.created),
        delivered: Some(at),
        amount,
        is_coupon: false,
    }
}
