//! Rows of the items matched with the year's entries of the ledger, inside company and account: what belongs together, what is
//! open and how old it is. Of an item those rows that its line counts, and no other. It explains nothing; a variance is what
//! it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::explain::{Sound, package};
use super::inputs::Packaged;
use super::sums::{failed_amount, staging};
use super::zeros::ENTRIES;
use super::{Explanations, Sources};
use crate::domain::amount::{Amount, AmountError};
use crate::domain::contract::Contract;
use crate::domain::manifest::{PartFile, Staged};
use crate::domain::matching::{Matched, Sides};
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{Line, MatchKeys, ReconciliationContract, Sign, Source};
use crate::domain::reconcile::evaluate::{TargetPlace, TargetSum};
use crate::kernels::matching::{
    GlColumn, MatchError, Matching, NextPart, Rule, SideColumns, normal_key,
};
use crate::kernels::reconcile::spec::condition;
use crate::pipeline::stage::read_back;
use crate::ports::{PortError, PortErrorKind, Scratch, StoreRoot};

/// What the items say, place by place.
type Targets = BTreeMap<TargetPlace, TargetSum>;

/// Makes a place for what waits while one line is matched.
pub type ScratchMaker<'a> = &'a (dyn Fn() -> Arc<dyn Scratch> + Send + Sync);

/// Matches every line whose contract says how, and proves that it was matched with what the line was compared with.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged, and for a result that contradicts itself or the line's target; storage
/// errors. What is beyond our own limits (rows, the length of a key, a sum, the disk of the scratch) is noted in `all`: a
/// match explains nothing, so the month is judged without it.
pub(super) async fn matches(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    period: Period,
    sound: &Sound<'_>,
    targets: &Targets,
    all: &mut Explanations,
) -> Result<(), PortError> {
    let Some(entries) = package(sound, ENTRIES) else {
        return Ok(());
    };
    for line in &contract.lines {
        for target in &line.targets {
            let (Some(keys), Some(delivered)) =
                (&target.matching, package(sound, target.item.as_str()))
            else {
                continue;
            };
            let contracts = [&entries.record.contract, &delivered.record.contract];
            let rule = rule(line, target, keys, contracts, period);
            match of_line(sources, rule, entries, delivered).await {
                Ok(matched) => {
                    agree(line, target, &matched, targets).map_err(|error| {
                        error.hint(match sources.engine {
                            Some(_) => "the loaded month is not what was staged: reconcile from the packages (--engine local), or load the month again",
                            None => "an error of the program: keep the packages and report it",
                        })
                    })?;
                    all.matching.insert(line.id.clone(), matched);
                }
                Err(error) => {
                    let why = own_limit(error).map_err(|error| error.at("line", &*line.id))?;
                    all.not_computed
                        .insert(format!("matching of {}", line.id), why);
                }
            }
        }
    }
    Ok(())
}

/// The rows that were matched come to what the line was compared with, in every company and account: two sums, taken on two
/// ways, of the rows that the contract's conditions leave.
fn agree(
    line: &Line,
    target: &Source,
    matched: &Matched,
    targets: &Targets,
) -> Result<(), PortError> {
    let rest = rest(line, target, matched, targets).map_err(failed_amount)?;
    let Some(((company, gl), _)) = rest.into_iter().find(|(_, rest)| rest.units() != 0) else {
        return Ok(());
    };
    let item = &target.item;
    let what =
        format!("the rows of {item} that were matched in {company} {gl} do not come to its target");
    Err(PortError::new(PortErrorKind::Corrupt, what).at("line", line.id.clone()))
}

/// Target less what was matched, by company and account in normal form.
fn rest(
    line: &Line,
    target: &Source,
    matched: &Matched,
    targets: &Targets,
) -> Result<BTreeMap<(String, String), Amount>, AmountError> {
    let gls: BTreeSet<String> = line.gls.iter().map(|gl| normal_key(gl)).collect();
    let own = line.gls.first().map(String::as_str).unwrap_or_default();
    let scales = matched.scopes.iter().map(|scope| scope.sums.target.scale());
    let of_item = targets.iter().filter(|(at, _)| at.item == target.item);
    let scales = scales.chain(of_item.clone().map(|(_, sum)| sum.amount.scale()));
    let scale = scales.max().unwrap_or(0);
    let mut rest: BTreeMap<(String, String), Amount> = BTreeMap::new();
    let mut add = |at: (String, String), amount: Amount| {
        let sum = rest.entry(at).or_insert_with(|| Amount::zero(scale));
        *sum = sum.checked_add(amount.rescale(scale)?)?;
        Ok::<_, AmountError>(())
    };
    for (at, sum) in of_item {
        let gl = normal_key(at.gl.as_deref().unwrap_or(own));
        // An account that the line does not own is a finding of the evaluation, and no row of it was matched.
        if gl.is_empty() || gls.contains(&gl) {
            add((normal_key(&at.company), gl), sum.amount)?;
        }
    }
    for scope in &matched.scopes {
        let sum = scope.sums.target;
        let opposite = Amount::new(-sum.units(), sum.scale())?;
        add((scope.company.clone(), scope.gl.clone()), opposite)?;
    }
    Ok(rest)
}

/// Which limit of ours was reached; any other error stays one.
fn own_limit(error: MatchError) -> Result<String, PortError> {
    match error {
        MatchError::TooMany { what, max } => Ok(format!("more than {max} {what}")),
        MatchError::KeyTooLong { .. } | MatchError::Overflow { .. } => Ok(error.to_string()),
        MatchError::Port(error) if error.kind == PortErrorKind::Limit => Ok(error.message),
        MatchError::Port(error) => Err(error),
        error => Err(PortError::new(PortErrorKind::Corrupt, error.to_string())),
    }
}

/// What the contract says, as the kernel takes it.
fn rule(
    line: &Line,
    target: &Source,
    keys: &MatchKeys,
    [ledger, delivered]: [&Contract; 2],
    period: Period,
) -> Rule {
    let amounts: Vec<String> = target
        .amount
        .iter()
        .map(|term| term.column.clone())
        .collect();
    let scale_of = |contract: &Contract, name: &str| {
        let column = contract.column(name);
        column.and_then(|column| column.column_type.scale())
    };
    let scales = amounts.iter().filter_map(|name| scale_of(delivered, name));
    let scale = scales.chain(scale_of(ledger, "amount")).max().unwrap_or(0);
    let own = line.gls.first().cloned().unwrap_or_default();
    let conditions = target.conditions.iter();
    let conditions = conditions.map(|one| condition(one, period));
    let is_personal = keys.source.iter().any(|name| {
        let column = delivered.column(name);
        column.is_some_and(|column| column.personal)
    });
    Rule {
        columns: Sides {
            actual: SideColumns {
                company: "id_company".to_owned(),
                gl: GlColumn::Named("group_coa_account_no".to_owned()),
                keys: keys.ledger.clone(),
                amounts: vec!["amount".to_owned()],
                negated: false,
                date: Some("posting_date".to_owned()),
                only: Vec::new(),
            },
            target: SideColumns {
                company: target.company.clone(),
                gl: target
                    .gl
                    .clone()
                    .map_or(GlColumn::Fixed(own), GlColumn::Named),
                keys: keys.source.clone(),
                amounts,
                negated: target.sign == Sign::Minus,
                date: keys.date.clone(),
                only: conditions.collect(),
            },
        },
        gls: line.gls.clone(),
        scale,
        tolerance: Amount::zero(scale),
        period,
        key_is_personal: is_personal,
    }
}

async fn of_line(
    sources: Sources<'_>,
    rule: Rule,
    entries: &Packaged,
    delivered: &Packaged,
) -> Result<Matched, MatchError> {
    let rows = |package: &Packaged| package.record.staged.as_ref().map_or(0, Staged::rows);
    let rows = rows(entries).saturating_add(rows(delivered));
    let (limits, scratch) = (sources.limits.matching.clone(), (sources.scratch)());
    let parts = Sides {
        actual: parts(sources, entries)?,
        target: parts(sources, delivered)?,
    };
    let handle = Handle::current();
    let matched = spawn_blocking(move || {
        let matching = Matching::new(rule, rows, limits, scratch.as_ref())?;
        let next = |(root, parts): (StoreRoot, Vec<PartFile>)| -> NextPart<'_> {
            let (handle, mut parts) = (handle.clone(), parts.into_iter());
            Box::new(move || -> Result<Option<Bytes>, PortError> {
                let Some(part) = parts.next() else {
                    return Ok(None);
                };
                handle.block_on(read_back(&root, &part)).map(Some)
            })
        };
        matching.match_parts(Sides {
            actual: next(parts.actual),
            target: next(parts.target),
        })
    });
    matched.await.map_err(|_panic| MatchError::Thread)?
}

fn parts(
    sources: Sources<'_>,
    package: &Packaged,
) -> Result<(StoreRoot, Vec<PartFile>), PortError> {
    let parts = package.record.staged.iter();
    let parts = parts.flat_map(|staged| &staged.parts).cloned();
    Ok((staging(sources, package)?, parts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::matching::{Listed, MatchWork, ScopeMatch};
    use crate::domain::matching::{RowPlace, Side};

    const SHIPPED: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

    fn cents(units: i128) -> Amount {
        Amount::new(units, 2).unwrap()
    }

    /// What was matched in a company on 18317, at the scale of the ledger.
    fn scope(company: &str, units: i128) -> ScopeMatch {
        let none = || Listed {
            items: Vec::new(),
            unlisted: 0,
            unlisted_sum: Amount::zero(4),
        };
        ScopeMatch {
            company: company.to_owned(),
            gl: "18317".to_owned(),
            rows: Sides::default(),
            sums: Sides {
                actual: Amount::new(7, 4).unwrap(),
                target: cents(units).rescale(4).unwrap(),
            },
            classes: BTreeMap::new(),
            ageing: Sides::default(),
            open: Sides {
                actual: none(),
                target: none(),
            },
            groups: BTreeMap::new(),
        }
    }

    fn target(company: &str, gl: Option<&str>, units: i128) -> (TargetPlace, TargetSum) {
        let at = TargetPlace {
            item: "IPE_34".parse().unwrap(),
            company: company.to_owned(),
            gl: gl.map(str::to_owned),
        };
        let sum = TargetSum {
            amount: cents(units),
            rows: 1,
        };
        (at, sum)
    }

    #[test]
    fn what_was_matched_comes_to_the_target_or_nothing_is_concluded() {
        let contract = ReconciliationContract::read("v1.toml", SHIPPED).unwrap();
        let line = contract.lines.iter().find(|line| line.id == "L5").unwrap();
        let said = |scopes: &[ScopeMatch], targets: &[(TargetPlace, TargetSum)]| {
            let matched = Matched {
                scopes: scopes.to_vec(),
                left_out: Sides::default(),
                work: MatchWork::default(),
            };
            let targets = targets.iter().cloned().collect();
            agree(line, &line.targets[0], &matched, &targets).map_err(|error| error.to_string())
        };
        let kenya = || target("EC_KE ", None, -200);
        // Where only the ledger has rows, the target has no place; another item and another account are not ours.
        let scopes = [scope("EC_KE", -200), scope("EC_NG", 0)];
        let mut other = target("EC_KE", None, 9);
        other.0.item = "IPE_12".parse().unwrap();
        let stray = target("EC_KE", Some("13005"), 9);
        assert_eq!(said(&scopes, &[kenya(), other, stray]), Ok(()));
        // Two spellings of a company are one for matching.
        let twice = [target("ec_ke", None, -150), target("EC_KE", None, -50)];
        assert_eq!(said(&scopes, &twice), Ok(()));
        for (scopes, targets) in [
            (vec![scope("EC_KE", -201)], vec![kenya()]),
            (Vec::new(), vec![kenya()]),
            (vec![scope("EC_KE", -200)], Vec::new()),
        ] {
            let said = said(&scopes, &targets).unwrap_err();
            let says = "the rows of IPE_34 that were matched in EC_KE 18317 do not come to";
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_limit_of_ours_costs_the_match_and_a_part_that_was_changed_the_month() {
        let side = Side::Actual;
        let full = PortError::new(PortErrorKind::Limit, "the disk is full");
        let own = [
            MatchError::TooMany {
                what: "rows",
                max: 7,
            },
            MatchError::KeyTooLong {
                side,
                place: RowPlace { part: 0, row: 3 },
                bytes: 70_000,
                max: 65_535,
            },
            MatchError::Port(full),
        ];
        let said: Vec<String> = own.map(|error| own_limit(error).unwrap()).into();
        assert_eq!(said[0], "more than 7 rows");
        assert!(said[1].contains("70000 bytes"), "{}", said[1]);
        assert_eq!(said[2], "the disk is full");

        let changed = PortError::new(PortErrorKind::Corrupt, "a part reads back differently");
        let unread = MatchError::Part {
            side,
            part: 0,
            what: "no Parquet".to_owned(),
        };
        for error in [MatchError::Port(changed), unread, MatchError::Thread] {
            assert_eq!(own_limit(error).unwrap_err().kind, PortErrorKind::Corrupt);
        }
        let gone = PortError::new(PortErrorKind::Unreachable, "no connection");
        let error = own_limit(MatchError::Port(gone)).unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unreachable);
    }
}
