use super::*;
use crate::domain::reconcile::result::Bucket;
use crate::report::month;

const RULES: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

/// What a warehouse would say that joins as it is joined here.
fn joined(bucket: &Bucket) -> Option<(Place, Joined)> {
    if bucket.is_empty() {
        return None;
    }
    let zero = Amount::zero(20);
    let target = bucket.target.unwrap_or(zero);
    let less = Amount::new(-target.units(), target.scale()).unwrap();
    let actual = bucket.actual.unwrap_or(zero);
    let joined = Joined {
        actual: bucket.actual,
        target: bucket.target,
        variance: actual.checked_add(less).unwrap(),
    };
    let gl = bucket.gl.clone().unwrap_or_default();
    Some(((bucket.company.clone(), gl), joined))
}

/// Compares a line of the planted month with what the warehouse says of it, which `change` has changed.
fn compared(id: &str, change: impl FnOnce(&mut BTreeMap<Place, Joined>)) -> Result<(), PortError> {
    let rules = ReconciliationContract::read("v1.toml", RULES).unwrap();
    let line = rules.lines.iter().find(|line| line.id == id).unwrap();
    let result = month::planted().result;
    let judged = result.lines.iter().find(|line| line.id == id).unwrap();
    let mut there: BTreeMap<Place, Joined> = judged.buckets.iter().filter_map(joined).collect();
    change(&mut there);
    compare(&rules, line, judged, &result, there)
}

fn place(company: &str, gl: &str) -> Place {
    (company.to_owned(), gl.to_owned())
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn said(result: Result<(), PortError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert_eq!(error.hint.as_deref(), Some(LOADED_OTHERWISE));
    error.message
}

#[test]
fn a_month_that_is_joined_alike_is_a_result() {
    for id in ["L1", "L2", "L3", "L4", "L5", "L6"] {
        compared(id, |_| ()).unwrap();
    }
}

#[test]
fn the_last_digit_of_a_variance_is_a_difference() {
    let at = place("EC_MA", "");
    let error = said(compared("L2", |there| {
        let joined = there.get_mut(&at).unwrap();
        let digit = amount("0.00000000000000000001");
        joined.variance = joined.variance.checked_add(digit).unwrap();
    }));
    assert_eq!(
        error,
        "the variance of L2 in EC_MA is -15000 by the sums of the loaded month and -14999.99999999999999999999 as the warehouse joins it"
    );
    // Zeros at the end are none.
    compared("L2", |there| {
        there.get_mut(&at).unwrap().variance = amount("-15000.0");
    })
    .unwrap();
}

#[test]
fn nothing_is_no_zero_and_a_place_that_is_gone_is_named() {
    let at = place("EC_NG", "13003");
    let zero = said(compared("L1", |there| {
        there.get_mut(&at).unwrap().target = None;
    }));
    assert!(
        zero.starts_with("the target of L1 in EC_NG 13003 is "),
        "{zero}"
    );
    assert!(
        zero.contains(" and nothing as the warehouse joins it"),
        "{zero}"
    );
    let gone = said(compared("L1", |there| {
        there.remove(&at);
    }));
    assert!(
        gone.starts_with("the actual of L1 in EC_NG 13003 is "),
        "{gone}"
    );
}

#[test]
fn a_place_without_a_bucket_is_reported_elsewhere_or_is_a_difference() {
    let more = |id: &str, company: &str, gl: &str, sum: &str| {
        let joined = Joined {
            actual: Some(amount(sum)),
            target: None,
            variance: amount(sum),
        };
        let at = place(company, gl);
        compared(id, |there| assert!(there.insert(at, joined).is_none()))
    };
    // The month lists a balance of EC_CM on 13003 as not covered.
    more("L1", "EC_CM", "13003", "77000").unwrap();
    // What comes to nothing is nowhere.
    more("L1", "EC_NG", "99999", "0.00").unwrap();
    for (id, company, gl, named) in [
        ("L1", "EC_NG", "99999", "L1 in EC_NG 99999"),
        ("L1", "XX_XX", "13003", "L1 in XX_XX 13003"),
        ("L2", "EC_CM", "", "L2 in EC_CM"),
        ("L2", "EC_NG", "13005", "L2 in EC_NG 13005"),
    ] {
        let error = said(more(id, company, gl, "1"));
        assert_eq!(
            error,
            format!(
                "the variance of {named} is nothing by the sums of the loaded month and 1 as the warehouse joins it"
            )
        );
    }
}
