//! The planted differences of the control's description at the level of buckets, and what must never happen.

use super::super::month::{DEFAULTS, Month};
use super::super::result::Code;
use super::*;
use crate::domain::run::ControlResult;
use proptest::prelude::*;

/// What is not OK: line, company, account, unexplained amount in local currency and in dollars, status.
fn exceptions(result: &Reconciliation) -> Vec<(String, String, String, String, String, Status)> {
    let text = |amount: Option<Amount>| {
        let text = amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    let found = result.exceptions().into_iter();
    let mut found: Vec<_> = found
        .map(|(line, b)| {
            let gl = b.gl.clone().unwrap_or_default();
            let (lcy, usd) = (text(b.unexplained), text(b.unexplained_usd));
            (line.id.clone(), b.company.clone(), gl, lcy, usd, b.status)
        })
        .collect();
    found.sort();
    found
}

fn one(
    line: &str,
    company: &str,
    gl: &str,
    lcy: &str,
    usd: &str,
    status: Status,
) -> (String, String, String, String, String, Status) {
    (
        line.into(),
        company.into(),
        gl.into(),
        lcy.into(),
        usd.into(),
        status,
    )
}

#[test]
fn a_month_that_ties_has_nothing_to_report() {
    let month = Month::new()
        .actual("EC_NG", "13003", "500.00")
        .target("IPE_07", "EC_NG", Some("13003"), "500.000")
        .actual("JM_EG", "18412", "-70.00")
        .target("IPE_08", "JM_EG", None, "-70.00");
    let result = month.judged();
    assert_eq!(result.control_result(), ControlResult::NoExceptions);
    assert_eq!(
        (
            result.exit_code(),
            result.findings.len(),
            result.not_covered.len()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        result
            .lines
            .iter()
            .map(|line| line.buckets.len())
            .sum::<usize>(),
        2
    );
    assert!(
        !result.unconfirmed.is_empty(),
        "assumptions stand until somebody confirms them"
    );
}

/// A month with the planted differences that need no rows.
fn planted() -> Month {
    let mut month = Month::new()
        // F01, F02, F03, F06, F07, F08, F09, F13
        .actual("EC_NG", "13003", "1650000.00")
        .target("IPE_07", "JM_EG", Some("13009"), "-60000.00")
        .actual("JD_GH", "13003", "-20000.00")
        .actual("JD_GH", "13004", "20000.00")
        .actual("EC_IC", "18350", "0.00")
        .target("IPE_10", "EC_IC", None, "-800000")
        .target("IPE_34", "EC_KE", None, "-200000.00")
        .actual("HF_SN", "18412", "-900000")
        .actual("EC_MA", "18412", "-5000.00")
        .bridge("B2", "EC_MA", "-20000.00")
        .actual("EC_IC", "13001", "1000000")
        .actual("HF_SN", "13001", "-1000000")
        // E01, E02: explained. N01: below. N06, N07: nothing, and not covered.
        .actual("EC_NG", "18412", "-2100000.00")
        .bridge("B1", "EC_NG", "-2100000.00")
        .actual("JM_EG", "18412", "-55000.00")
        .bridge("B2", "JM_EG", "-55000.00")
        .actual("EC_KE", "13004", "129999.99")
        .actual("EC_MA", "18350", "0.00000000000000000001")
        .actual("AT_TN", "18317", "-45000.00")
        .actual("EC_NG", "18397", "12.00")
        // F10
        .actual("JD_UG", "18350", "40000000");
    month.rates.insert("JD_UG", vec![None]);
    // F11
    month
        .rates
        .insert("JD_DZ", vec![Some("134.5"), Some("134.9")]);
    month
}

#[test]
fn planted_differences_come_out_where_they_are_and_nowhere_else() {
    use Status::{Investigate, OverExplained};
    let month = planted();
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [
            one("L1", "EC_NG", "13003", "1650000", "1000", Investigate),
            one("L1", "JD_GH", "13003", "-20000", "-1481.48", Investigate),
            one("L1", "JD_GH", "13004", "20000", "1481.48", Investigate),
            one("L1", "JM_EG", "13009", "60000", "1226.99", Investigate),
            one("L3", "EC_IC", "", "1000000", "1666.67", Investigate),
            one("L3", "HF_SN", "", "-1000000", "-1666.67", Investigate),
            one("L4", "EC_IC", "", "800000", "1333.33", Investigate),
            one("L4", "JD_UG", "", "40000000", "none", Investigate),
            one("L5", "EC_KE", "", "200000", "1538.46", Investigate),
            one("L6", "EC_MA", "", "15000", "1485.15", OverExplained),
            one("L6", "HF_SN", "", "-900000", "-1500", Investigate),
        ]
    );
    let codes: Vec<_> = result
        .findings
        .iter()
        .map(|f| (f.code, f.place.as_str()))
        .collect();
    assert_eq!(
        codes,
        [(Code::FxMissing, "JD_UG"), (Code::FxAmbiguous, "JD_DZ")]
    );
    let places: Vec<_> = result
        .not_covered
        .iter()
        .map(|n| (n.company.as_str(), n.gl.as_str()))
        .collect();
    assert_eq!(places, [("AT_TN", "18317"), ("EC_NG", "18397")]);
    assert_eq!(
        (result.control_result(), result.exit_code()),
        (ControlResult::Exceptions, 1)
    );
}

#[test]
fn a_bucket_says_what_a_reader_needs() {
    let result = planted().judged();
    let line = |id: &str| result.lines.iter().find(|line| line.id == id).unwrap();
    let of = |id: &str, company: &str, gl: Option<&str>| {
        let mut buckets = line(id).buckets.iter();
        buckets
            .find(|b| b.company == company && b.gl.as_deref() == gl)
            .unwrap()
    };
    assert_eq!(of("L1", "JD_GH", Some("13003")).offset_by, ["13004"]);
    assert_eq!(
        of("L1", "JM_EG", Some("13009")).threshold.rule,
        "DEFAULT v1 bucket"
    );
    assert_eq!(of("L1", "EC_NG", Some("13003")).sides, Sides::ActualOnly);
    assert_eq!(of("L1", "JM_EG", Some("13009")).sides, Sides::TargetOnly);
    assert_eq!(
        of("L1", "EC_KE", Some("13004")).status,
        Status::Ok,
        "999.9999 dollars"
    );
    assert_eq!(of("L6", "JM_EG", None).threshold.rule, "EG v1 bucket");
    assert!(of("L6", "EC_MA", None).is_over_bridged && !of("L6", "EC_NG", None).is_over_bridged);
    // The group's collections cancel out, and hide nothing.
    assert_eq!(line("L3").dollars.variance.unwrap().to_string(), "0.00");
    assert_eq!(line("L3").status, Status::Investigate);
    assert_eq!(line("L4").dollars.without_rate, 1);
}

/// Planted difference F12, and defect 7 of the predecessor: what was missing counted as zero.
#[test]
fn what_did_not_deliver_is_not_concluded_and_never_zero() {
    let mut month = Month::new().actual("EC_KE", "13001", "3900000.00");
    month.state("IPE_31").delivered.remove("EC_KE");
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [one(
            "L3",
            "EC_KE",
            "",
            "3900000",
            "30000",
            Status::NotConcluded
        )]
    );
    assert_eq!(result.findings[0].code, Code::CompanyEmpty);
    assert_eq!(result.control_result(), ControlResult::NotConcluded);
    assert_eq!(result.exit_code(), 1);

    // An item that was held, or was not run: its line has no variance at all, for no company.
    let mut held = Month::new().actual("EC_KE", "13001", "3900000.00");
    held.state("IPE_31")
        .unsound
        .push("key.unique failed".to_owned());
    let mut absent = Month::new().actual("EC_KE", "13001", "3900000.00");
    absent.items.remove(&"IPE_31".parse::<IpeId>().unwrap());
    for (month, why) in [
        (held, "IPE_31: key.unique failed"),
        (absent, "IPE_31 was not run"),
    ] {
        let result = month.judged();
        let line = result.lines.iter().find(|line| line.id == "L3").unwrap();
        assert_eq!(line.buckets.len(), 9);
        for bucket in &line.buckets {
            assert_eq!(
                (bucket.status, bucket.variance, bucket.target),
                (Status::NotConcluded, None, None)
            );
            assert_eq!(bucket.reasons, [why]);
        }
        let others = result.judged().filter(|line| line.id != "L3");
        assert!(
            others
                .map(|line| line.status)
                .all(|status| status == Status::Ok)
        );
    }
}

/// A memo is shown and has no part in the result; small residuals add up.
#[test]
fn a_memo_judges_nothing_and_residuals_reach_the_materiality_together() {
    let memo = Month::new().actual("EC_NG", "18304", "999999999.00");
    let result = memo.judged();
    let line = result.lines.iter().find(|line| line.memo).unwrap();
    assert_eq!(line.status, Status::Investigate);
    assert_eq!(result.control_result(), ControlResult::NoExceptions);

    let mut month = Month::new();
    for (line, gl) in [
        "13003", "13004", "13009", "13005", "13001", "18350", "18317", "18412",
    ]
    .into_iter()
    .enumerate()
    {
        let sign = if line % 2 == 0 { "" } else { "-" };
        month = month.actual("EC_KE", gl, &format!("{sign}129999.99"));
    }
    let result = month.judged();
    assert!(exceptions(&result).is_empty());
    assert!(
        result.findings.is_empty(),
        "8 x 999.9999 dollars are below 10,000"
    );
    let strict = DEFAULTS.replace("\"10000\"", "\"7999.99\"");
    month.thresholds = Thresholds::read([("DEFAULT", strict.as_str())]).unwrap();
    let result = month.judged();
    assert_eq!(result.findings[0].code, Code::Aggregate);
    assert_eq!(result.findings[0].place, "EC_KE");
    assert_eq!(result.exit_code(), 1);
}

#[test]
fn without_a_rate_any_variance_is_investigated_and_none_is_fine() {
    let mut month = Month::new()
        .actual("JD_UG", "13003", "0.01")
        .actual("JD_UG", "13004", "5")
        .target("IPE_07", "JD_UG", Some("13004"), "5.00");
    month.rates.remove("JD_UG");
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [one(
            "L1",
            "JD_UG",
            "13003",
            "0.01",
            "none",
            Status::Investigate
        )]
    );
    month
        .state("CR_05")
        .unsound
        .push("transfer.rows failed".to_owned());
    let result = month.judged();
    assert!(
        exceptions(&result)
            .iter()
            .all(|e| e.5 == Status::NotConcluded)
    );
}

proptest! {
    /// Variance = Σ bridges + unexplained, whatever the amounts; taking an input away never makes anything better.
    #[test]
    fn the_identity_holds_and_less_knowledge_is_never_a_better_word(
        balance in -10_i128.pow(24)..10_i128.pow(24), sum in -10_i128.pow(24)..10_i128.pow(24),
        bridge in -10_i128.pow(24)..10_i128.pow(24), taken in 0_usize..9,
    ) {
        let text = |units| Amount::new(units, 20).unwrap().to_string();
        let mut month = Month::new()
            .actual("EC_NG", "18412", &text(balance))
            .target("IPE_08", "EC_NG", None, &text(sum))
            .bridge("B1", "EC_NG", &text(bridge));
        let before = month.judged();
        let bucket = &before.lines.iter().find(|line| line.id == "L6").unwrap().buckets[0];
        prop_assert_eq!(bucket.variance.unwrap().units(), balance - sum);
        prop_assert_eq!(bucket.unexplained.unwrap().units() + bridge, balance - sum);
        let names: Vec<IpeId> = month.items.keys().cloned().collect();
        let name = &names[taken % names.len()];
        month.items.remove(name);
        let after = month.judged();
        for (line, better) in after.lines.iter().zip(&before.lines) {
            prop_assert!(line.status >= better.status, "{} without {}", line.id, name);
        }
        prop_assert!(after.exit_code() >= before.exit_code());
    }
}
