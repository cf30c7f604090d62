//! The planted differences of cash collections. Expected amounts are written down here by hand.

use crate::domain::plant::PlantProfile::{Hold, Recon};
use crate::sandbox::data::chart::COLLECTED;

use super::instructions::{Change, Effect, Measure, Plant, cents, journal, variance};

const fn collections(company: &'static str, amount: i128, usd: &'static str) -> Effect {
    Effect {
        measure: Measure::Line,
        ..variance(company, "L3", amount, usd)
    }
}

/// What is planted, in the order of the control's description.
pub(super) const PLANTS: [Plant; 2] = [
    Plant {
        id: "F12",
        kind: "a company did not deliver",
        profile: Hold,
        changes: &[
            Change::Silent("EC_KE"),
            journal("EC_KE", COLLECTED, cents(390_000_000)),
        ],
        effects: &[collections("EC_KE", cents(390_000_000), "30000.00")],
        expected: "population.companies holds IPE_31; accepted, it loads: COMPANY_EMPTY, L3 NOT_CONCLUDED with the actual alone",
        note: "",
    },
    Plant {
        id: "F13",
        kind: "two companies cancel out",
        profile: Recon,
        changes: &[
            journal("EC_IC", COLLECTED, cents(100_000_000)),
            journal("HF_SN", COLLECTED, cents(-100_000_000)),
        ],
        effects: &[
            collections("EC_IC", cents(100_000_000), "1666.67"),
            collections("HF_SN", cents(-100_000_000), "-1666.67"),
        ],
        expected: "two INVESTIGATE; group total 0 must not hide them",
        note: "",
    },
];
