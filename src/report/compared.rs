//! What of an input the lines compare, in dollars: a number that says something where an input has several currencies.

use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;
use crate::domain::reconcile::result::{Bucket, Reconciliation};
use crate::domain::reconcile::wide::Dollars;
use crate::report::material::count;

/// The part of an input that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compared<'a> {
    /// The line whose target it is; `None` for the ledger, whose balances all judged lines compare.
    pub(super) line: Option<&'a str>,
    /// In ledger sign and dollars of two digits, of the balances that have a rate.
    pub(super) usd: Amount,
    /// Balances that are not in it because they have none.
    pub(super) without_rate: u64,
}

/// What is compared of an item; `None` where it is not the only target of a line, and where nothing of it has dollars.
pub(super) fn compared<'a>(result: &'a Reconciliation, item: &IpeId) -> Option<Compared<'a>> {
    if result.actual.as_ref() == Some(item) {
        let buckets = || result.judged().flat_map(|line| &line.buckets);
        let dollars = buckets().filter_map(|bucket| Dollars::of(bucket.actual?, bucket.rate?));
        let usd = dollars.reduce(|sum, one| sum.add(&one))?.shown()?;
        return Some(Compared {
            line: None,
            usd,
            without_rate: without_rate(buckets(), |bucket| bucket.actual),
        });
    }
    let mut lines = result.lines.iter();
    let line = lines.find(|line| line.items.as_slice() == std::slice::from_ref(item))?;
    Some(Compared {
        line: Some(&line.id),
        usd: line.dollars.target?,
        without_rate: without_rate(line.buckets.iter(), |bucket| bucket.target),
    })
}

/// Buckets that have something and no rate.
fn without_rate<'b>(
    buckets: impl Iterator<Item = &'b Bucket>,
    of: impl Fn(&Bucket) -> Option<Amount>,
) -> u64 {
    let amounts = buckets.filter(|bucket| bucket.rate.is_none());
    let amounts = amounts.filter_map(of);
    count(amounts.filter(|amount| amount.units() != 0).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::material::sum;
    use crate::report::month;

    #[test]
    fn an_item_is_compared_on_its_line_and_the_ledger_on_all() {
        let result = month::clean().result;
        let of = |name: &str| compared(&result, &name.parse().unwrap());
        let first = result.lines.iter().find(|line| line.id == "L1").unwrap();
        let target = Compared {
            line: Some("L1"),
            usd: first.dollars.target.unwrap(),
            without_rate: 0,
        };
        assert_eq!(of("IPE_07"), Some(target));
        // Of each line dollars are rounded once, and of all lines together once.
        let ledger = of("CR_04").unwrap();
        let lines = result.judged().filter_map(|line| line.dollars.actual);
        let apart = sum(lines).unwrap().units() - ledger.usd.units();
        assert_eq!(ledger.line, None);
        assert!(apart.abs() < 6 && ledger.usd.units() != 0, "{apart}");
        for name in ["CR_03", "CR_05", "IPE_08_USAGE", "JDASH", "IPE_99"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn one_of_two_targets_and_what_has_no_dollars_is_not_compared_by_itself() {
        let mut result = month::clean().result;
        let line = &mut result.lines[0];
        line.dollars.target = None;
        let item = line.items[0].clone();
        assert_eq!(compared(&result, &item), None);
        let line = &mut result.lines[0];
        line.dollars.target = Some(month::amount("1.00"));
        line.items.push("IPE_99".parse().unwrap());
        assert_eq!(compared(&result, &item), None);
    }

    #[test]
    fn balances_without_a_rate_are_counted_and_those_of_nothing_are_not() {
        let mut result = month::clean().result;
        let mut buckets = result.lines[0].buckets.iter_mut();
        for [actual, target] in [["5.00", "7.00"], ["5.00", "0.00"]] {
            let bucket = buckets.next().unwrap();
            bucket.rate = None;
            bucket.actual = Some(month::amount(actual));
            bucket.target = Some(month::amount(target));
        }
        let of = |name: &str| compared(&result, &name.parse().unwrap()).unwrap();
        assert_eq!(of("IPE_07").without_rate, 1);
        assert_eq!(of("CR_04").without_rate, 2);
    }
}
