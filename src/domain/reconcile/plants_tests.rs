//! Every planted difference is found where it is and nowhere else, and each has its twin without it.

use std::collections::BTreeSet;

use super::month::{Exception, Month, bucket, exceptions, item, line};
use super::plants::{Plant, both, plants};
use super::result::{Code, Reconciliation, Sides, Status};
use crate::domain::run::ControlResult;

fn planted(without: Option<&str>) -> Month {
    let wanted = plants()
        .into_iter()
        .filter(|plant| Some(plant.id) != without);
    wanted.fold(Month::new(), |month, plant| (plant.plant)(month))
}

fn expected(plants: &[Plant], without: Option<&str>) -> Vec<Exception> {
    let wanted = plants.iter().filter(|plant| Some(plant.id) != without);
    let mut all: Vec<Exception> = wanted.flat_map(|plant| plant.exceptions.clone()).collect();
    all.sort();
    all
}

fn found(result: &Reconciliation) -> BTreeSet<(Code, String)> {
    let findings = result.findings.iter();
    findings.map(|f| (f.code, f.place.clone())).collect()
}

#[test]
fn all_plants_are_here() {
    let ids: BTreeSet<&str> = plants().iter().map(|plant| plant.id).collect();
    let numbers = |letter: char, last: u32| (1..=last).map(move |n| format!("{letter}{n:02}"));
    let all = numbers('F', 14)
        .chain(numbers('E', 2))
        .chain(numbers('N', 7));
    let all: BTreeSet<String> = all.collect();
    assert_eq!(ids, all.iter().map(String::as_str).collect());
}

/// Every plant is found where it was put, and taking one away takes away exactly what it brought.
#[test]
fn each_plant_brings_its_own_findings_and_no_others() {
    let plants = plants();
    let wanted = plants.iter().map(|plant| Some(plant.id)).chain([None]);
    for without in wanted {
        let result = planted(without).judged();
        assert_eq!(
            exceptions(&result),
            expected(&plants, without),
            "without {without:?}"
        );
        let kept = plants.iter().filter(|plant| Some(plant.id) != without);
        let (mut findings, mut not_covered) = (BTreeSet::new(), BTreeSet::new());
        for plant in kept {
            let own = plant.findings.iter();
            findings.extend(own.map(|(code, place)| (*code, (*place).to_owned())));
            not_covered.extend(plant.not_covered.iter().copied());
        }
        assert_eq!(found(&result), findings, "without {without:?}");
        let listed = result.not_covered.iter();
        let listed = listed.map(|n| (n.company.as_str(), n.gl.as_str()));
        assert_eq!(
            listed.collect::<BTreeSet<_>>(),
            not_covered,
            "without {without:?}"
        );
        assert_eq!(
            result.of_lines(),
            match without {
                Some("F12") => ControlResult::Exceptions,
                _ => ControlResult::NotConcluded,
            }
        );
    }
}

/// Each plant by itself: those that must bring nothing raise no exit code.
#[test]
fn a_plant_alone_is_all_that_is_found() {
    for plant in plants() {
        let result = (plant.plant)(Month::new()).judged();
        assert_eq!(exceptions(&result), plant.exceptions, "{}", plant.id);
        let is_quiet = plant.exceptions.is_empty() && plant.findings.is_empty();
        let is_silent = result.of_lines() == ControlResult::NoExceptions;
        assert_eq!(is_silent, is_quiet, "{}", plant.id);
    }
}

#[test]
fn what_the_report_says_of_the_plants() {
    let result = planted(None).judged();
    // F02: the rule of Egypt is for vouchers.
    let egypt = bucket(&result, "L1", "JM_EG", Some("13009"));
    assert_eq!(egypt.threshold.rule, "DEFAULT v1 bucket");
    assert_eq!((egypt.sides, egypt.target_rows), (Sides::TargetOnly, 1));
    assert_eq!(
        bucket(&result, "L6", "JM_EG", None).threshold.rule,
        "EG v1 bucket"
    );
    // F03: two accounts of a company. F13: two companies of a currency.
    assert_eq!(
        bucket(&result, "L1", "JD_GH", Some("13003")).offset_by,
        ["13004"]
    );
    assert_eq!(
        bucket(&result, "L1", "JD_GH", Some("13004")).offset_by,
        ["13003"]
    );
    let ivory = bucket(&result, "L3", "EC_IC", None);
    assert_eq!(
        (ivory.offset_companies.as_slice(), ivory.offset_by.len()),
        (&["HF_SN".to_owned()][..], 0)
    );
    let collections = line(&result, "L3");
    assert_eq!(
        collections.dollars.unexplained.unwrap().to_string(),
        "30000.00"
    );
    assert_eq!(
        collections.affected().into_iter().collect::<Vec<_>>(),
        ["EC_IC", "EC_KE", "HF_SN"]
    );
    // F09 and E02: a bridge that explains more than there is, and one that explains it all.
    let over = bucket(&result, "L6", "EC_MA", None);
    assert_eq!((over.outside(), over.is_over_bridged), (vec!["B2"], true));
    let explained = bucket(&result, "L6", "JM_EG", None);
    assert_eq!(
        (explained.outside().len(), explained.status),
        (0, Status::Ok)
    );
    assert_eq!(explained.unexplained.unwrap().units(), 0);
    // F10: dollars are blank, with the reason.
    let uganda = bucket(&result, "L4", "JD_UG", None);
    assert_eq!(
        (uganda.variance_usd, uganda.no_rate.as_deref()),
        (None, Some("no closing rate"))
    );
    assert_eq!(bucket(&result, "L6", "JD_UG", None).status, Status::Ok);
    assert_eq!(line(&result, "L4").dollars.without_rate, 1);
    // N01: listed as a residual.
    let kenya = result
        .residuals
        .iter()
        .find(|r| r.company == "EC_KE")
        .unwrap();
    assert_eq!(kenya.gross_usd.unwrap().to_string(), "1000.00");
    assert!(!kenya.is_reached);
    // N07: dust stays in the data, and is shown as nothing.
    let dust = bucket(&result, "L4", "EC_MA", None);
    assert_eq!(dust.unexplained.unwrap().units(), 1);
    assert_eq!(dust.unexplained_usd.unwrap().to_string(), "0.00");
}

/// N07 belongs to a company with a clear rate: without one any residual is investigated.
#[test]
fn dust_without_a_clear_rate_is_investigated() {
    for company in ["JD_DZ", "JD_UG"] {
        let month = planted(None).actual(company, "13009", "0.00000000000000000001");
        let result = month.judged();
        assert_eq!(
            bucket(&result, "L1", company, Some("13009")).status,
            Status::Investigate
        );
    }
}

/// H01: a key that stands there twice holds the load of its item, and of no other.
#[test]
fn a_held_item_leaves_its_line_open_and_the_others_go_on() {
    let mut month = planted(None);
    let why = "check key.unique holds it";
    month.state("IPE_12").unsound.push(why.to_owned());
    let result = month.judged();
    let packages = line(&result, "L2");
    assert_eq!(packages.buckets.len(), 9);
    for bucket in &packages.buckets {
        assert_eq!(bucket.status, Status::NotConcluded);
        assert_eq!((bucket.variance, bucket.target), (None, None));
        assert_eq!(bucket.reasons, [format!("IPE_12: {why}")]);
    }
    assert_eq!(packages.dollars.unknown, 9);
    let others = |result: &Reconciliation| {
        let mut all = exceptions(result);
        all.retain(|exception| exception.0 != "L2");
        all
    };
    assert_eq!(others(&result), others(&planted(None).judged()));
}

/// H02: balances of one company that are older than the month's end.
#[test]
fn a_stale_company_is_not_concluded_and_the_others_are() {
    let mut month = both(Month::new(), "HF_SN", "13003", "600");
    let state = month.state("CR_04");
    let why = vec!["refreshed on 2024-04-29".to_owned()];
    state.unsound_of.insert("HF_SN".to_owned(), why);
    let result = month.judged();
    for line in result.judged() {
        for bucket in &line.buckets {
            let is_stale = bucket.company == "HF_SN";
            assert_eq!(
                bucket.status == Status::NotConcluded,
                is_stale,
                "{bucket:?}"
            );
            assert_eq!(bucket.variance.is_none(), is_stale, "no variance of zero");
        }
    }
    let shown = bucket(&result, "L1", "HF_SN", Some("13003"));
    assert_eq!(shown.sides, Sides::Both);
    assert_eq!(shown.reasons, ["CR_04 of HF_SN: refreshed on 2024-04-29"]);
    assert_eq!(result.of_lines(), ControlResult::NotConcluded);
    assert!(month.items.contains_key(&item("CR_04")));
}
