//! The planted differences. Expected amounts are written down here by hand, not computed from the changes.
//!
//! # Source
//! Section 2 of the control's description; numbers, companies, accounts and amounts are those of its table.

use crate::domain::plant::PlantProfile::{Hold, Recon};
use crate::sandbox::data::chart::{POSTING_GROUPS, PREPAYMENTS, REFUNDS};
use crate::sandbox::data::events::Kind;
use crate::sandbox::data::rates::RateChange;

use super::collected;
use super::instructions::{
    Change, Effect, Ledgers, Line, Measure, Plant, cents, journal, line, on_line, variance,
};
use super::orders::ORDERS;
use super::vouchers::VOUCHER_PLANTS;

/// Positions in `ACCOUNTS` and, where there is one, of a posting group that posts there.
const TRADE: (usize, usize) = (0, 1);
const OTHER: (usize, usize) = (2, 14);
const ALLOWANCE: (usize, usize) = (3, 15);
/// Beyond the list of posting groups.
const UNLISTED: usize = POSTING_GROUPS.len();
/// Position of the US dollar in `CURRENCIES`.
const USD: usize = 1;

/// What is planted in the ledgers and around them, in the order of the control's description.
const PLANTS: [Plant; 12] = [
    Plant {
        id: "F01",
        kind: "ledger only, at the threshold",
        profile: Recon,
        changes: &[journal("EC_NG", TRADE.0, cents(165_000_000))],
        effects: &[variance("EC_NG", "13003", cents(165_000_000), "1000.00")],
        expected: "L1 INVESTIGATE, document no. listed",
        note: "",
    },
    Plant {
        id: "F02",
        kind: "sub-ledger only, threshold precedence",
        profile: Recon,
        changes: &[Change::Post(line(
            "JM_EG",
            Ledgers::CustomerOnly,
            ALLOWANCE,
            cents(-6_000_000),
        ))],
        effects: &[variance("JM_EG", "13009", cents(6_000_000), "1226.99")],
        expected: "L1 INVESTIGATE, rule DEFAULT v1",
        note: "",
    },
    Plant {
        id: "F03",
        kind: "wrong account, nets to zero in the line",
        profile: Recon,
        changes: &[Change::Post(line(
            "JD_GH",
            Ledgers::Both,
            (OTHER.0, TRADE.1),
            cents(2_000_000),
        ))],
        effects: &[
            variance("JD_GH", "13003", cents(-2_000_000), "-1481.48"),
            variance("JD_GH", "13004", cents(2_000_000), "1481.48"),
        ],
        expected: "two INVESTIGATE, marked offsetting",
        note: "",
    },
    Plant {
        id: "F04",
        kind: "filter blind spot",
        profile: Recon,
        changes: &[Change::Post(line(
            "EC_IC",
            Ledgers::Both,
            (TRADE.0, UNLISTED),
            cents(120_000_000),
        ))],
        effects: &[
            variance("EC_IC", "13003", cents(120_000_000), "2000.00"),
            Effect {
                measure: Measure::WithoutAccount,
                company: "EC_IC",
                at: "B2C-NEW",
                amount: cents(120_000_000),
                usd: None,
            },
        ],
        expected: "L1 INVESTIGATE and scope funnel names the group",
        note: "IPE_07 does not filter posting groups: it delivers the row, without a receivables account",
    },
    Plant {
        id: "F10",
        kind: "missing FX",
        profile: Recon,
        changes: &[
            Change::Rates(RateChange {
                country_code: "UG",
                hundredths: &[None],
            }),
            journal("JD_UG", PREPAYMENTS, cents(4_000_000_000)),
        ],
        effects: &[Effect {
            usd: None,
            ..on_line("JD_UG", "L4", cents(4_000_000_000), "")
        }],
        expected: "FX_MISSING and L4 INVESTIGATE; JD_UG's zero lines stay OK",
        note: "",
    },
    Plant {
        id: "F11",
        kind: "two closing rates",
        profile: Recon,
        changes: &[Change::Rates(RateChange {
            country_code: "DZ",
            hundredths: &[Some(13_450), Some(13_490)],
        })],
        effects: &[],
        expected: "FX_AMBIGUOUS JD_DZ, no \"first wins\"",
        note: "",
    },
    Plant {
        id: "F14",
        kind: "late posting into a final month",
        profile: Recon,
        changes: &[Change::Post(Line {
            day: (2024, 3, 29),
            created: (2024, 4, 18),
            ..line("JD_DZ", Ledgers::Both, TRADE, cents(25_000_000))
        })],
        effects: &[
            Effect {
                usd: None,
                ..variance("JD_DZ", "13003", 0, "")
            },
            Effect {
                measure: Measure::LatePosting,
                company: "JD_DZ",
                at: "13003",
                amount: cents(25_000_000),
                usd: None,
            },
        ],
        expected: "LATE_POSTING 2024-03 with entry no., user, creation date; Z1 +250000.00",
        note: "Z1 differs against March as the clean ledger of the same seed and rows has it; the stand-in's March of today holds the entry",
    },
    Plant {
        id: "H02",
        kind: "stale actuals",
        profile: Hold,
        changes: &[Change::Refreshed("HF_SN", (2024, 4, 29))],
        effects: &[],
        expected: "Z3 FAIL, HF_SN NOT_CONCLUDED",
        note: "",
    },
    Plant {
        id: "N01",
        kind: "just below",
        profile: Recon,
        changes: &[journal("EC_KE", OTHER.0, cents(12_999_999))],
        effects: &[variance("EC_KE", "13004", cents(12_999_999), "1000.00")],
        expected: "listed as residual, OK, exit code not raised by it",
        note: "999.9999 US dollars unrounded",
    },
    Plant {
        id: "N05",
        kind: "customer nets to zero over two GLs",
        profile: Recon,
        changes: &[
            Change::Post(line("EC_NG", Ledgers::Both, TRADE, cents(50_000_000))),
            Change::Post(line("EC_NG", Ledgers::Both, OTHER, cents(-50_000_000))),
        ],
        effects: &[
            variance("EC_NG", "13003", 0, "0.00"),
            variance("EC_NG", "13004", 0, "0.00"),
        ],
        expected: "nothing",
        note: "",
    },
    Plant {
        id: "N06",
        kind: "foreign-currency invoice",
        profile: Recon,
        changes: &[Change::Post(Line {
            currency: USD,
            amount: cents(100_000),
            kind: Kind::Invoice,
            ..line("EC_NG", Ledgers::Both, TRADE, cents(145_000_000))
        })],
        effects: &[variance("EC_NG", "13003", 0, "0.00")],
        expected: "nothing",
        note: "",
    },
    Plant {
        id: "N07",
        kind: "scope and dust",
        profile: Recon,
        changes: &[
            journal("AT_TN", REFUNDS, cents(-4_500_000)),
            journal("EC_MA", PREPAYMENTS, 1),
        ],
        effects: &[
            Effect {
                measure: Measure::NotCovered,
                usd: None,
                ..variance("AT_TN", "L5", cents(-4_500_000), "")
            },
            on_line("EC_MA", "L4", 1, "0.00"),
        ],
        expected: "\"not covered\" line; residual in the data file, shown 0.00, OK",
        note: "beside what the company's own refunds come to, which no line compares either",
    },
];

/// All plants.
pub(super) fn plants() -> impl Iterator<Item = &'static Plant> {
    static PLANTED: [&[Plant]; 4] = [&PLANTS, &ORDERS, &collected::PLANTS, &VOUCHER_PLANTS];
    PLANTED.into_iter().flatten()
}
