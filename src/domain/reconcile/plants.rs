//! The planted differences of the control's description at the level of buckets.
//!
//! Amounts are those of the description's table, written by hand: what each plant adds to balances, targets and bridges.

use super::month::{Exception, Month, one};
use super::result::Code;
use super::result::Status::{Investigate, NotConcluded, OverExplained};

/// What is planted, and what it brings.
pub(super) struct Plant {
    pub(super) id: &'static str,
    pub(super) plant: fn(Month) -> Month,
    pub(super) exceptions: Vec<Exception>,
    pub(super) findings: Vec<(Code, &'static str)>,
    /// Company and account.
    pub(super) not_covered: Vec<(&'static str, &'static str)>,
}

fn plant(id: &'static str, plant: fn(Month) -> Month, exceptions: Vec<Exception>) -> Plant {
    Plant {
        id,
        plant,
        exceptions,
        findings: Vec::new(),
        not_covered: Vec::new(),
    }
}

impl Plant {
    fn finds(mut self, code: Code, place: &'static str) -> Self {
        self.findings.push((code, place));
        self
    }

    fn leaves(mut self, company: &'static str, gl: &'static str) -> Self {
        self.not_covered.push((company, gl));
        self
    }
}

/// Both ledgers say the same.
pub(super) fn both(month: Month, company: &str, gl: &str, amount: &str) -> Month {
    month
        .actual(company, gl, amount)
        .target("IPE_07", company, Some(gl), amount)
}

fn ledger_plants() -> Vec<Plant> {
    vec![
        plant(
            "F01",
            |m| m.actual("EC_NG", "13003", "1650000.00"),
            vec![one("L1", "EC_NG", "13003", "1650000", "1000", Investigate)],
        ),
        plant(
            "F02",
            |m| m.target("IPE_07", "JM_EG", Some("13009"), "-60000.00"),
            vec![one("L1", "JM_EG", "13009", "60000", "1226.99", Investigate)],
        ),
        plant(
            "F03",
            |m| {
                m.target("IPE_07", "JD_GH", Some("13003"), "20000.00")
                    .actual("JD_GH", "13004", "20000.00")
            },
            vec![
                one("L1", "JD_GH", "13003", "-20000", "-1481.48", Investigate),
                one("L1", "JD_GH", "13004", "20000", "1481.48", Investigate),
            ],
        ),
        plant(
            "F04",
            |m| {
                m.actual("EC_IC", "13003", "1200000")
                    .target("IPE_07", "EC_IC", Some(""), "1200000")
            },
            vec![one("L1", "EC_IC", "13003", "1200000", "2000", Investigate)],
        )
        .finds(Code::AmountElsewhere, "EC_IC IPE_07"),
        plant(
            "F05",
            |m| m.target("IPE_12", "EC_MA", None, "15000.00"),
            vec![one("L2", "EC_MA", "", "-15000", "-1485.15", Investigate)],
        ),
        plant(
            "F06",
            |m| m.target("IPE_10", "EC_IC", None, "-800000"),
            vec![one("L4", "EC_IC", "", "800000", "1333.33", Investigate)],
        ),
        plant(
            "F07",
            |m| m.target("IPE_34", "EC_KE", None, "-200000.00"),
            vec![one("L5", "EC_KE", "", "200000", "1538.46", Investigate)],
        ),
        plant(
            "F13",
            |m| {
                m.actual("EC_IC", "13001", "1000000")
                    .actual("HF_SN", "13001", "-1000000")
            },
            vec![
                one("L3", "EC_IC", "", "1000000", "1666.67", Investigate),
                one("L3", "HF_SN", "", "-1000000", "-1666.67", Investigate),
            ],
        ),
        // F14: both ledgers have it, so L1 ties; Z1 finds it (`zero`).
        plant("F14", |m| both(m, "JD_DZ", "13003", "250000.00"), vec![]),
    ]
}

fn voucher_plants() -> Vec<Plant> {
    vec![
        plant(
            "F08",
            |m| {
                m.actual("HF_SN", "18412", "-900000")
                    .bridge("B1", "HF_SN", "0")
            },
            vec![one("L6", "HF_SN", "", "-900000", "-1500", Investigate)],
        ),
        plant(
            "F09",
            |m| {
                m.actual("EC_MA", "18412", "-5000.00")
                    .bridge("B2", "EC_MA", "-20000.00")
            },
            vec![one("L6", "EC_MA", "", "15000", "1485.15", OverExplained)],
        ),
        plant(
            "E01",
            |m| {
                m.actual("EC_NG", "18412", "-2100000.00")
                    .bridge("B1", "EC_NG", "-2100000.00")
            },
            vec![],
        ),
        plant(
            "E02",
            |m| {
                m.actual("JM_EG", "18412", "-55000.00")
                    .bridge("B2", "JM_EG", "-55000.00")
            },
            vec![],
        ),
        // N03, N04: the voucher is on both sides once, whatever its spelling and its types of use.
        plant(
            "N03",
            |m| {
                m.actual("JM_EG", "18412", "70000.00")
                    .target("IPE_08", "JM_EG", None, "70000.00")
            },
            vec![],
        ),
        plant(
            "N04",
            |m| {
                m.actual("EC_KE", "18412", "-140000.00").target(
                    "IPE_08",
                    "EC_KE",
                    None,
                    "-140000.00",
                )
            },
            vec![],
        ),
    ]
}

fn other_plants() -> Vec<Plant> {
    vec![
        plant(
            "F10",
            |m| {
                m.rate("JD_UG", &[None])
                    .actual("JD_UG", "18350", "40000000")
            },
            vec![one("L4", "JD_UG", "", "40000000", "none", Investigate)],
        )
        .finds(Code::FxMissing, "JD_UG"),
        plant(
            "F11",
            |m| m.rate("JD_DZ", &[Some("134.5"), Some("134.9")]),
            vec![],
        )
        .finds(Code::FxAmbiguous, "JD_DZ"),
        plant(
            "F12",
            |mut m| {
                m.state("IPE_31").delivered.remove("EC_KE");
                m.actual("EC_KE", "13001", "3900000.00")
            },
            vec![one("L3", "EC_KE", "", "3900000", "30000", NotConcluded)],
        )
        .finds(Code::CompanyEmpty, "EC_KE IPE_31"),
        plant("N01", |m| m.actual("EC_KE", "13004", "129999.99"), vec![]),
        // N02: booked in May, delivered in May. Neither side of April has it.
        plant("N02", |m| m, vec![]),
        plant(
            "N05",
            |m| {
                both(
                    both(m, "EC_NG", "13003", "500000"),
                    "EC_NG",
                    "13004",
                    "-500000",
                )
            },
            vec![],
        ),
        plant("N06", |m| both(m, "EC_NG", "13003", "1450000"), vec![]),
        plant(
            "N07",
            |m| {
                m.actual("AT_TN", "18317", "-45000.00").actual(
                    "EC_MA",
                    "18350",
                    "0.00000000000000000001",
                )
            },
            vec![],
        )
        .leaves("AT_TN", "18317"),
    ]
}

/// All of them, in the order of their tables.
pub(super) fn plants() -> Vec<Plant> {
    let mut all = ledger_plants();
    all.extend(voucher_plants());
    all.extend(other_plants());
    all
}
