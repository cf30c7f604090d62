//! What the threads have found, as values of the ground floor, proven before anyone sees them.

use std::collections::BTreeMap;

use super::columns::{Overflow, SEPARATOR};
use super::groups::Gathered;
use super::join::{Joined, date};
use super::split::Read;
use super::tally::{OpenRow, Tally, Top};
use super::{MatchError, Matching, Scope};
use crate::domain::age::AgeBucket;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::matching::{
    AgedTotal, Class, ClassTotal, GroupItem, Listed, MatchWork, Matched, OpenBecause, OpenItem,
    ProofError, ScopeMatch, Side, Sides,
};

/// Written in place of a personal key.
const MASKED: &str = "(personal)";

/// Makes the result and proves each company and GL of it.
pub(super) fn matched(
    matching: &Matching<'_>,
    read: &Sides<Vec<Read>>,
    left_out: Sides<u64>,
    joined: Joined,
) -> Result<Matched, MatchError> {
    let (held_bytes, scratch_bytes) = matching.store.used();
    let work = MatchWork {
        partitions: matching.partitions,
        groups_peak: joined.peak,
        held_bytes,
        scratch_bytes,
        collisions: joined.collisions,
    };
    let scopes = matching.scopes();
    let mut found = Vec::with_capacity(scopes.len());
    for ((scope, tally), place) in scopes.into_iter().zip(joined.tallies).zip(0..) {
        let of = |reads: &[Read]| reads.get(place).copied().unwrap_or_default();
        let read = Sides {
            actual: of(&read.actual),
            target: of(&read.target),
        };
        let scope = Make { matching }.scope(scope, &read, tally)?;
        scope.prove()?;
        found.push(scope);
    }
    found.sort_by(|left, right| (&left.company, &left.gl).cmp(&(&right.company, &right.gl)));
    Ok(Matched {
        scopes: found,
        left_out,
        work,
    })
}

struct Make<'m> {
    matching: &'m Matching<'m>,
}

impl Make<'_> {
    fn scope(
        &self,
        scope: Scope,
        read: &Sides<Read>,
        tally: Tally,
    ) -> Result<ScopeMatch, MatchError> {
        let side = |side: Side| {
            let refuse = |_: AmountError| MatchError::Overflow {
                side,
                company: scope.company.clone(),
                gl: scope.gl.clone(),
            };
            self.amount(read.of(side).sum).map_err(refuse)
        };
        let sums = Sides {
            actual: side(Side::Actual)?,
            target: side(Side::Target)?,
        };
        let (classes, ageing, open, groups) = self.lists(tally).map_err(ProofError::Amount)?;
        Ok(ScopeMatch {
            company: scope.company,
            gl: scope.gl,
            rows: Sides {
                actual: read.actual.rows,
                target: read.target.rows,
            },
            sums,
            classes,
            ageing,
            open,
            groups,
        })
    }

    fn lists(&self, tally: Tally) -> Result<Lists, AmountError> {
        let mut classes = BTreeMap::new();
        for (class, sums) in &tally.classes {
            let total = ClassTotal {
                groups: sums.groups,
                rows: sums.rows,
                sums: self.sides(&sums.sums)?,
            };
            classes.insert(*class, total);
        }
        let mut ageing = Sides::<BTreeMap<AgeBucket, AgedTotal>>::default();
        for side in [Side::Actual, Side::Target] {
            for (bucket, aged) in tally.ageing.of(side) {
                let (rows, sum) = (aged.rows, self.amount(aged.sum)?);
                ageing.of_mut(side).insert(*bucket, AgedTotal { rows, sum });
            }
        }
        let only = |side| classes.get(&Class::only(side));
        let open = Sides {
            actual: self.open(Side::Actual, only(Side::Actual), tally.open.actual)?,
            target: self.open(Side::Target, only(Side::Target), tally.open.target)?,
        };
        let mut groups = BTreeMap::new();
        for (class, top) in tally.groups {
            groups.insert(class, self.groups(classes.get(&class), top)?);
        }
        Ok((classes, ageing, open, groups))
    }

    fn open(
        &self,
        side: Side,
        total: Option<&ClassTotal>,
        top: Top<OpenRow>,
    ) -> Result<Listed<OpenItem>, AmountError> {
        let period = self.matching.rule.period;
        let items = top.into_list().map(|(key, row)| {
            let date = date(row.day);
            Ok(OpenItem {
                because: match (row.scoped, key.is_empty()) {
                    (false, _) => OpenBecause::NoScope,
                    (true, true) => OpenBecause::NoKey,
                    (true, false) => OpenBecause::NoCounterpart,
                },
                key: self.key(&key),
                amount: self.amount(row.amount)?,
                date,
                age_months: AgeBucket::of(date, period).0,
                place: row.place,
            })
        });
        let items = items.collect::<Result<Vec<_>, AmountError>>()?;
        let rows = total.map_or(0, |total| *total.rows.of(side));
        let sum = total.map_or(0, |total| total.sums.of(side).units());
        self.cut(items, rows, sum, |item| item.amount)
    }

    fn groups(
        &self,
        total: Option<&ClassTotal>,
        top: Top<Sides<Gathered>>,
    ) -> Result<Listed<GroupItem>, AmountError> {
        let items = top.into_list().map(|(key, sides)| {
            let Sides { actual, target } = sides;
            let difference = less(actual.sum, target.sum);
            let place = |gathered: Gathered| (gathered.rows > 0).then_some(gathered.first);
            Ok(GroupItem {
                key: self.key(&key),
                rows: Sides {
                    actual: actual.rows,
                    target: target.rows,
                },
                sums: Sides {
                    actual: self.amount(actual.sum)?,
                    target: self.amount(target.sum)?,
                },
                difference: self.amount(difference.map_err(|Overflow| self.overflow())?)?,
                oldest: Sides {
                    actual: date(actual.oldest),
                    target: date(target.oldest),
                },
                first: Sides {
                    actual: place(actual),
                    target: place(target),
                },
            })
        });
        let items = items.collect::<Result<Vec<_>, AmountError>>()?;
        let keys = total.map_or(0, |total| total.groups);
        let sum = total.map_or(Ok(0), |total| {
            less(total.sums.actual.units(), total.sums.target.units())
        });
        let sum = sum.map_err(|Overflow| self.overflow())?;
        self.cut(items, keys, sum, |item| item.difference)
    }

    /// A list, and what of `count` and `sum` it leaves out.
    fn cut<T>(
        &self,
        items: Vec<T>,
        count: u64,
        sum: i128,
        amount: impl Fn(&T) -> Amount,
    ) -> Result<Listed<T>, AmountError> {
        let listed = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let rest = items.iter().try_fold(sum, |rest, item| {
            less(rest, amount(item).units()).map_err(|Overflow| self.overflow())
        })?;
        Ok(Listed {
            unlisted: count.saturating_sub(listed),
            unlisted_sum: self.amount(rest)?,
            items,
        })
    }

    fn key(&self, key: &[u8]) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        if self.matching.rule.key_is_personal {
            return Some(MASKED.to_owned());
        }
        let pieces = key.split(|byte| *byte == SEPARATOR);
        let pieces = pieces.map(String::from_utf8_lossy);
        Some(pieces.collect::<Vec<_>>().join(" | "))
    }

    fn sides(&self, units: &Sides<i128>) -> Result<Sides<Amount>, AmountError> {
        Ok(Sides {
            actual: self.amount(units.actual)?,
            target: self.amount(units.target)?,
        })
    }

    fn amount(&self, units: i128) -> Result<Amount, AmountError> {
        Amount::new(units, self.matching.rule.scale)
    }

    fn overflow(&self) -> AmountError {
        AmountError::Overflow {
            scale: self.matching.rule.scale,
        }
    }
}

type Lists = (
    BTreeMap<Class, ClassTotal>,
    Sides<BTreeMap<AgeBucket, AgedTotal>>,
    Sides<Listed<OpenItem>>,
    BTreeMap<Class, Listed<GroupItem>>,
);

fn less(left: i128, right: i128) -> Result<i128, Overflow> {
    left.checked_sub(right).ok_or(Overflow)
}
