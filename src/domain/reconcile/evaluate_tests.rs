//! What must never happen: something that is missing counted as zero, netted, lost, or made better by knowing less.

use super::*;
use crate::domain::reconcile::month::{Month, amount, bucket, exceptions, item, line, one};
use crate::domain::reconcile::result::{Code, Sides};
use crate::domain::run::ControlResult;

#[test]
fn a_month_that_ties_has_nothing_to_report() {
    let month = Month::new()
        .actual("EC_NG", "13003", "500.00")
        .target("IPE_07", "EC_NG", Some("13003"), "500.000")
        .actual("JM_EG", "18412", "-70.00")
        .target("IPE_08", "JM_EG", None, "-70.00");
    let result = month.judged();
    assert_eq!(result.of_lines(), ControlResult::NoExceptions);
    assert!(result.findings.is_empty() && result.not_covered.is_empty());
    // Every company has its buckets, also where nothing is: nobody is left out in silence.
    let judged = result.judged().map(|line| line.buckets.len());
    assert_eq!(judged.collect::<Vec<_>>(), [27, 9, 9, 9, 9, 9]);
    let full = result.judged().flat_map(|line| &line.buckets);
    assert_eq!(full.filter(|bucket| !bucket.is_empty()).count(), 2);
    let empty = bucket(&result, "L3", "JD_GH", None);
    assert_eq!((empty.sides, empty.status), (Sides::Neither, Status::Ok));
    assert_eq!((empty.actual, empty.variance.unwrap().units()), (None, 0));
    assert!(
        !result.unconfirmed.is_empty(),
        "assumptions stand until somebody confirms them"
    );
    let json = serde_json::to_string(&result).unwrap();
    let back: Reconciliation = serde_json::from_str(&json).unwrap();
    assert_eq!(back, result);
}

/// Defect 7 of the predecessor: what was missing counted as zero.
#[test]
fn what_did_not_deliver_is_not_concluded_and_never_zero() {
    // Nothing on the ledger either: that is no variance of zero.
    let mut month = Month::new();
    month.state("IPE_31").delivered.remove("EC_KE");
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [one("L3", "EC_KE", "", "none", "none", Status::NotConcluded)]
    );
    assert_eq!(result.findings[0].code, Code::CompanyEmpty);
    assert_eq!(result.of_lines(), ControlResult::NotConcluded);

    // An item that was held, or was not run: its line has no variance at all, for no company.
    let mut held = Month::new().actual("EC_KE", "13001", "3900000.00");
    held.state("IPE_31")
        .unsound
        .push("key.unique failed".to_owned());
    let mut absent = Month::new().actual("EC_KE", "13001", "3900000.00");
    absent.items.remove(&item("IPE_31"));
    for (month, why) in [
        (held, "IPE_31: key.unique failed"),
        (absent, "IPE_31 was not run"),
    ] {
        let result = month.judged();
        let line = line(&result, "L3");
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

#[test]
fn balances_that_did_not_come_leave_every_line_open() {
    let mut month = Month::new().target("IPE_10", "EC_KE", None, "-5");
    month.state("CR_04").delivered.remove("EC_KE");
    let result = month.judged();
    for line in result.judged() {
        let open = line.affected();
        assert_eq!(open.into_iter().collect::<Vec<_>>(), ["EC_KE"]);
    }
    let codes = result.findings.iter().map(|f| (f.code, f.place.as_str()));
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [(Code::CompanyEmpty, "EC_KE CR_04")]
    );
    assert_eq!(
        bucket(&result, "L4", "EC_KE", None).sides,
        Sides::TargetOnly
    );
}

/// Defect 10 of the predecessor: a bridge that found no column was zero. Without the bridge that over-explains it a line
/// would look fine.
#[test]
fn a_bridge_that_is_missing_is_not_a_bridge_of_zero() {
    let whole =
        Month::new()
            .actual("EC_MA", "18412", "-5000.00")
            .bridge("B2", "EC_MA", "-20000.00");
    let status = |month: &Month| bucket(&month.judged(), "L6", "EC_MA", None).status;
    assert_eq!(status(&whole), Status::OverExplained);
    let mut not_computed = whole.clone();
    not_computed.bridges.remove("B2");
    let mut doubted = whole.clone();
    let why = vec!["two rows of one key".to_owned()];
    doubted
        .bridges
        .get_mut("B2")
        .unwrap()
        .doubts
        .insert("EC_MA".to_owned(), why);
    for input in ["CR_03", "JDASH", "IPE_08"] {
        let mut month = whole.clone();
        month.items.remove(&item(input));
        assert_eq!(status(&month), Status::NotConcluded, "without {input}");
    }
    let mut silent = whole.clone();
    silent.state("CR_03").delivered.remove("EC_MA");
    for month in [&not_computed, &doubted, &silent] {
        assert_eq!(status(month), Status::NotConcluded);
    }
    assert_eq!(
        bucket(&not_computed.judged(), "L6", "EC_MA", None).reasons,
        ["bridge B2 was not computed"]
    );
    // JDASH names no company, so none can be missing from it.
    let mut file = whole;
    file.state("JDASH").delivered.clear();
    assert_eq!(status(&file), Status::OverExplained);
}

#[test]
fn rows_that_are_in_no_sum_leave_their_company_open() {
    let mut month = Month::new();
    let lacking = &mut month.state("IPE_12").rows_without_amount;
    lacking.insert("JD_GH".to_owned(), 3);
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [one("L2", "JD_GH", "", "none", "none", Status::NotConcluded)]
    );
    assert_eq!(result.findings[0].code, Code::AmountMissing);
}

#[test]
fn amounts_without_a_place_are_listed_or_refused_and_never_lost() {
    let month = Month::new()
        .target("IPE_07", "EC_NG", Some("13005"), "7")
        .target("IPE_07", "EC_CM", Some("13003"), "8")
        .target("IPE_10", "XX_YY", None, "9")
        .actual("EC_NG", "18397", "12.00")
        .actual("EC_NG", "99999", "13.00")
        .actual("XX_YY", "18350", "0");
    let result = month.judged();
    let listed = result.not_covered.iter().map(|n| {
        let item = n.item.as_ref().map_or("", |item| item.as_str());
        (n.company.as_str(), n.gl.as_str(), item, n.why.as_str())
    });
    let prepaid = "other prepayments: no source delivers a target";
    assert_eq!(
        listed.collect::<Vec<_>>(),
        [
            ("EC_NG", "18397", "", prepaid),
            ("EC_NG", "99999", "", "no line owns the account"),
            (
                "EC_CM",
                "13003",
                "IPE_07",
                "the company is outside the scope"
            ),
            ("XX_YY", "", "IPE_10", "nobody knows the company"),
        ]
    );
    assert_eq!(result.findings[0].code, Code::AmountElsewhere);
    for (month, said) in [
        (
            Month::new().target("IPE_99", "EC_NG", None, "1"),
            "no line has IPE_99 for its target",
        ),
        (
            Month::new().target("IPE_10", "EC_NG", Some("18350"), "1"),
            "IPE_10 is summed by account, and L4 is compared as a whole",
        ),
        (
            Month::new().bridge("B5", "EC_NG", "1"),
            "bridge B5 explains no line",
        ),
    ] {
        assert_eq!(month.tried().unwrap_err().to_string(), said);
    }
    let widest = format!("9{}", "9".repeat(17));
    let month = Month::new()
        .actual("EC_NG", "13005", &widest)
        .actual("EC_NG", "13024", &widest);
    let error = month.tried().unwrap_err().to_string();
    assert!(error.starts_with("L2 EC_NG: the amount leaves"), "{error}");
}

/// A memo is shown and has no part in the result; without a sign nothing is subtracted.
#[test]
fn a_memo_judges_nothing() {
    let month = Month::new()
        .actual("EC_NG", "18304", "999999999.00")
        .target("IPE_11", "EC_NG", None, "5");
    let result = month.judged();
    let memo = bucket(&result, "M1", "EC_NG", None);
    assert_eq!((memo.variance, memo.sides), (None, Sides::Both));
    assert_eq!(memo.reasons, ["nobody has confirmed the sign of IPE_11"]);
    assert_eq!(result.of_lines(), ControlResult::NoExceptions);
    assert!(exceptions(&result).is_empty());
}

#[test]
fn residuals_reach_the_materiality_together() {
    let mut month = Month::new();
    let gls = [
        "13003", "13004", "13009", "13005", "13001", "18350", "18317", "18412",
    ];
    for (place, gl) in gls.into_iter().enumerate() {
        let sign = if place % 2 == 0 { "" } else { "-" };
        month = month.actual("EC_KE", gl, &format!("{sign}129999.99"));
    }
    let result = month.judged();
    assert!(exceptions(&result).is_empty());
    assert!(
        result.findings.is_empty(),
        "8 x 999.9999 dollars are below 10,000"
    );
    let strict = crate::domain::reconcile::month::DEFAULTS.replace("\"10000\"", "\"7999.99\"");
    month.thresholds = Thresholds::read([("DEFAULT", strict.as_str())]).unwrap();
    let result = month.judged();
    assert_eq!(result.findings[0].code, Code::Aggregate);
    assert_eq!(result.findings[0].place, "EC_KE");
    assert_eq!(result.of_lines(), ControlResult::Exceptions);
}

#[test]
fn without_a_rate_any_variance_is_investigated_and_none_is_fine() {
    let mut month = Month::new()
        .actual("JD_UG", "13003", "0.01")
        .actual("JD_UG", "13004", "5")
        .target("IPE_07", "JD_UG", Some("13004"), "5.00")
        // Explained or not, and a bridge of what is not there.
        .actual("JD_UG", "18412", "-3")
        .bridge("B1", "JD_UG", "-3");
    month.rates.remove("JD_UG");
    let result = month.judged();
    assert_eq!(
        exceptions(&result),
        [
            one("L1", "JD_UG", "13003", "0.01", "none", Status::Investigate),
            one("L6", "JD_UG", "", "0", "none", Status::Investigate),
        ]
    );
    let phantom = Month::new()
        .rate("JD_UG", &[])
        .bridge("B1", "JD_UG", "-0.01");
    assert_eq!(
        exceptions(&phantom.judged()),
        [one(
            "L6",
            "JD_UG",
            "",
            "0.01",
            "none",
            Status::OverExplained
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

#[test]
fn a_warning_makes_no_exception_and_a_finding_does() {
    let mut result = Month::new().judged();
    let found = |code| crate::domain::reconcile::result::ReconcileFinding {
        code,
        place: "EC_NG".to_owned(),
        what: String::new(),
    };
    result.report([found(Code::FxMoved)]);
    assert_eq!(result.of_lines(), ControlResult::NoExceptions);
    result.report([found(Code::LatePosting)]);
    assert_eq!(result.of_lines(), ControlResult::Exceptions);
}

#[test]
fn two_bridges_that_together_are_too_much_over_explain() {
    let month = Month::new()
        .actual("JD_GH", "18412", "-30000")
        .bridge("B1", "JD_GH", "-25000")
        .bridge("B2", "JD_GH", "-25000");
    let result = month.judged();
    let over = bucket(&result, "L6", "JD_GH", None);
    assert_eq!(
        (over.status, over.outside().len()),
        (Status::OverExplained, 0)
    );
    assert_eq!(over.unexplained, Some(amount("20000").rescale(20).unwrap()));
    // The same shape below the threshold is shown, and fine.
    let small = Month::new()
        .actual("JD_GH", "18412", "-3")
        .bridge("B1", "JD_GH", "-5");
    let result = small.judged();
    let small = bucket(&result, "L6", "JD_GH", None);
    assert_eq!((small.status, small.outside()), (Status::Ok, vec!["B1"]));
}

/// What an item reports keeps its code, so that page one lists new values of the scope as such.
#[test]
fn what_an_item_reports_keeps_its_code() {
    let mut month = Month::new();
    let reported = |code, company: &str| Reported {
        code,
        company: company.to_owned(),
        what: "B2C-NEW".to_owned(),
    };
    let state = month.state("IPE_07");
    state.reported.push(reported(Code::Scope, "EC_IC"));
    state.reported.push(reported(Code::Item, ""));
    let result = month.judged();
    let found = result.findings.iter();
    let found: Vec<_> = found.map(|f| (f.code, f.place.as_str())).collect();
    assert_eq!(
        found,
        [(Code::Item, "IPE_07"), (Code::Scope, "IPE_07 EC_IC")]
    );
}
