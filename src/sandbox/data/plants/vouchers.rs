//! Planted differences of the vouchers: what the shop has used or cancelled and the ledger not, and what only looks so.
//! Expected amounts are written down by hand.
//!
//! # Source
//! Section 2 of the control's description; companies, dates and amounts are those of its table.

use crate::domain::plant::PlantProfile::Recon;
use crate::sandbox::data::chart::{BANK, Company, MARKETING, REVENUE, VOUCHERS};
use crate::sandbox::data::documents::{BATCH_USER, Document};
use crate::sandbox::data::events::{DAY_US, Kind, day_number};
use crate::sandbox::data::systems::{Rows, SourceRows};
use crate::sandbox::data::vouchers::{BusinessUse, CUTOFF, EndedBy, Life, Use, Voucher, rows_of};
use crate::sandbox::tsql::error::SqlResult;

use super::instructions::{Change, Day, Effect, JdashRow, Measure, Plant, USER, cents, on_line};

const STOCK: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING]";

/// Running numbers of planted vouchers begin beyond those that any company draws.
const FIRST: u64 = 45_000_000;

/// A voucher and its place among the planted ones.
struct Issued {
    place: u64,
    voucher: Voucher<'static>,
}

impl SourceRows for Issued {
    fn rows(&self, company: &'static Company) -> SqlResult<Rows> {
        rows_of(company, &[(FIRST + self.place, self.voucher)])
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let id = self.voucher.id;
        vec![(STOCK, format!("id = {id}, snapshot_date = 2024-04-30"))]
    }
}

/// Microseconds of a day and minutes after its midnight.
const fn at(day: Day, minutes: i64) -> i64 {
    day_number(day) * DAY_US + minutes * 60_000_000
}

/// Ten-thousandths of whole units.
const fn units(whole: i64) -> i64 {
    whole * 10_000
}

/// A voucher that is valid for a year after the month.
const fn issued(
    (place, id, code): (u64, &'static str, &'static str),
    usage: BusinessUse,
    whole: i64,
    created: Day,
) -> Issued {
    let life = Life {
        usage,
        amount: units(whole),
        created: at(created, 600),
        to: CUTOFF + 365 * DAY_US,
        uses: [None; 2],
        ended: None,
    };
    Issued {
        place,
        voucher: Voucher { id, code, life },
    }
}

impl Issued {
    const fn used(self, uses: [Option<Use>; 2]) -> Self {
        let life = Life {
            uses,
            ..self.voucher.life
        };
        self.with(life)
    }

    const fn cancelled(self, moment: i64) -> Self {
        let life = Life {
            ended: Some((moment, EndedBy::Voucher)),
            ..self.voucher.life
        };
        self.with(life)
    }

    const fn with(self, life: Life) -> Self {
        Self {
            voucher: Voucher {
                life,
                ..self.voucher
            },
            ..self
        }
    }
}

/// An order that a voucher paid, and the day of its delivery.
const fn order(whole: i64, ordered: Day, delivered: Option<Day>) -> Option<Use> {
    let delivered = match delivered {
        Some(day) => Some(at(day, 900)),
        None => None,
    };
    Some(Use {
        ordered: at(ordered, 700),
        delivered,
        amount: units(whole),
        is_coupon: false,
    })
}

/// What the ledger books on the voucher account, debit positive.
const fn booked(
    company: &'static str,
    voucher: Option<&'static str>,
    whole: i128,
    day: Day,
    (description, user, other): (&'static str, &'static str, usize),
) -> Change {
    Change::Document(
        company,
        Document {
            kind: Kind::Journal,
            day: day_number(day),
            created_day: day_number(day),
            accounts: [VOUCHERS, other],
            amount: cents(whole * 100),
            number: "",
            external: None,
            voucher,
            description,
            user,
        },
    )
}

const REFUNDED: (&str, &str, usize) = ("RF_317489161_0424", BATCH_USER, REVENUE);
const APOLOGISED: (&str, &str, usize) = ("Commercial gesture", BATCH_USER, MARKETING);
const DELIVERED: (&str, &str, usize) = ("Item price credit", BATCH_USER, REVENUE);
const PAID_BACK: (&str, &str, usize) = ("Voucher to cash", USER, BANK);

/// What a bridge of the line must come to.
const fn bridge(company: &'static str, bridge: &'static str, whole: i128) -> Effect {
    Effect {
        measure: Measure::Bridge,
        company,
        at: bridge,
        amount: cents(whole * 100),
        usd: None,
    }
}

/// What the shop's own list says was used of a voucher.
const fn jdash(company: &'static str, voucher_id: &'static str, whole: i128) -> Change {
    Change::Jdash(JdashRow {
        company,
        voucher_id,
        amount: cents(whole * 100),
    })
}

const WINDOW: Issued = issued(
    (1, "45000001", "RF-F08"),
    BusinessUse::Refund,
    900_000,
    (2023, 4, 30),
)
.used([order(900_000, (2024, 4, 12), None), None]);
const OVER: [Issued; 2] = [
    issued(
        (2, "45000002", "RF-F09-1"),
        BusinessUse::Refund,
        15_000,
        (2024, 1, 10),
    )
    .cancelled(at((2024, 4, 11), 640)),
    issued(
        (3, "45000003", "RF-F09-2"),
        BusinessUse::Refund,
        5_000,
        (2024, 1, 10),
    )
    .cancelled(at((2024, 4, 16), 640)),
];
const TIMING: Issued = issued(
    (4, "45000004", "RF-E01"),
    BusinessUse::Refund,
    2_500_000,
    (2023, 8, 15),
)
.used([
    order(400_000, (2023, 12, 2), Some((2023, 12, 5))),
    order(2_100_000, (2024, 4, 22), None),
]);
const EVENING: Issued = issued(
    (5, "45000005", "RF-E02"),
    BusinessUse::Refund,
    55_000,
    (2024, 2, 5),
)
.cancelled(at((2024, 4, 30), 1_110));
const SPELLED: Issued = issued(
    (6, " abc-77 ", "RF-N03"),
    BusinessUse::Refund,
    70_000,
    (2024, 1, 15),
)
.cancelled(at((2024, 4, 9), 640));
const TWO_TYPES: Issued = issued(
    (7, "45000007", "CG-N04"),
    BusinessUse::Apology,
    200_000,
    (2023, 9, 4),
)
.used([
    order(40_000, (2023, 11, 6), Some((2023, 11, 9))),
    as_coupon(order(20_000, (2024, 2, 12), Some((2024, 2, 14)))),
]);

const fn as_coupon(one: Option<Use>) -> Option<Use> {
    match one {
        Some(one) => Some(Use {
            is_coupon: true,
            ..one
        }),
        None => None,
    }
}

/// What is planted, in the order of the control's description.
pub(super) const VOUCHER_PLANTS: [Plant; 6] = [
    Plant {
        id: "F08",
        kind: "outside the timing window",
        profile: Recon,
        changes: &[
            Change::Rows("HF_SN", &WINDOW),
            booked("HF_SN", Some("45000001"), -900_000, (2023, 4, 30), REFUNDED),
            jdash("HF_SN", "45000001", 900_000),
        ],
        effects: &[
            on_line("HF_SN", "L6", cents(-90_000_000), "-1500.00"),
            bridge("HF_SN", "B1", 0),
        ],
        expected: "L6 INVESTIGATE, unexplained",
        note: "",
    },
    Plant {
        id: "F09",
        kind: "over-explained",
        profile: Recon,
        changes: &[
            Change::Rows("EC_MA", &OVER[0]),
            Change::Rows("EC_MA", &OVER[1]),
            booked("EC_MA", Some("45000002"), -15_000, (2024, 1, 10), REFUNDED),
            booked("EC_MA", Some("45000003"), -5_000, (2024, 1, 10), REFUNDED),
            booked("EC_MA", None, 15_000, (2024, 4, 18), PAID_BACK),
        ],
        effects: &[
            on_line("EC_MA", "L6", cents(-500_000), "-495.05"),
            bridge("EC_MA", "B2", -20_000),
        ],
        expected: "L6 OVER_EXPLAINED",
        note: "15,000.00 of the 20,000.00 are booked without a voucher number: unexplained is +15,000.00",
    },
    Plant {
        id: "E01",
        kind: "timing, explained",
        profile: Recon,
        changes: &[
            Change::Rows("EC_NG", &TIMING),
            booked(
                "EC_NG",
                Some("45000004"),
                -2_500_000,
                (2023, 8, 15),
                REFUNDED,
            ),
            booked("EC_NG", Some("45000004"), 400_000, (2023, 12, 5), DELIVERED),
            jdash("EC_NG", "45000004", 2_500_000),
        ],
        effects: &[
            on_line("EC_NG", "L6", cents(-210_000_000), "-1272.73"),
            bridge("EC_NG", "B1", -2_100_000),
        ],
        expected: "explained, OK",
        note: "",
    },
    Plant {
        id: "E02",
        kind: "VTC on the last evening",
        profile: Recon,
        changes: &[
            Change::Rows("JM_EG", &EVENING),
            booked("JM_EG", Some("45000005"), -55_000, (2024, 2, 5), REFUNDED),
        ],
        effects: &[
            on_line("JM_EG", "L6", cents(-5_500_000), "-1124.74"),
            bridge("JM_EG", "B2", -55_000),
        ],
        expected: "explained, OK",
        note: "",
    },
    Plant {
        id: "N03",
        kind: "key spelling",
        profile: Recon,
        changes: &[
            Change::Rows("JM_EG", &SPELLED),
            booked("JM_EG", Some("ABC-77"), -70_000, (2024, 1, 15), REFUNDED),
            booked("JM_EG", Some("ABC-77"), 70_000, (2024, 4, 9), PAID_BACK),
        ],
        effects: &[on_line("JM_EG", "L6", 0, "0.00")],
        expected: "nothing",
        note: "the shop writes the voucher with blanks around it and in small letters",
    },
    Plant {
        id: "N04",
        kind: "fan-out",
        profile: Recon,
        changes: &[
            Change::Rows("EC_KE", &TWO_TYPES),
            booked(
                "EC_KE",
                Some("45000007"),
                -200_000,
                (2023, 9, 4),
                APOLOGISED,
            ),
            booked("EC_KE", Some("45000007"), 40_000, (2023, 11, 9), DELIVERED),
            booked("EC_KE", Some("45000007"), 20_000, (2024, 2, 14), DELIVERED),
            jdash("EC_KE", "45000007", 60_000),
        ],
        effects: &[on_line("EC_KE", "L6", 0, "0.00")],
        expected: "nothing; the audit of the join counts the voucher",
        note: "",
    },
];
