//! Rows of the items matched with the year's entries of the ledger, inside company and account: what belongs together, what is
//! open and how old it is. It explains nothing; a variance is what it is.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::explain::{Sound, package};
use super::inputs::Packaged;
use super::sums::staging;
use super::zeros::ENTRIES;
use super::{Explanations, Sources};
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::domain::manifest::{PartFile, Staged};
use crate::domain::matching::{Matched, Sides};
use crate::domain::period::Period;
use crate::domain::reconcile::contract::{Line, MatchKeys, ReconciliationContract, Sign, Source};
use crate::kernels::matching::{GlColumn, MatchError, Matching, NextPart, Rule, SideColumns};
use crate::pipeline::stage::read_back;
use crate::ports::{PortError, PortErrorKind, Scratch, StoreRoot};

/// Makes a place for what waits while one line is matched.
pub type ScratchMaker<'a> = &'a (dyn Fn() -> Arc<dyn Scratch> + Send + Sync);

/// Matches every line whose contract says how.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged, and for a result that contradicts itself; storage errors. What is
/// beyond our own limits (rows, the length of a key, a sum, the disk of the scratch) is noted in `all`: a match explains
/// nothing, so the month is judged without it.
pub(super) async fn matches(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    period: Period,
    sound: &Sound<'_>,
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
    let only = line.gls.first().cloned().unwrap_or_default();
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
            },
            target: SideColumns {
                company: target.company.clone(),
                gl: target
                    .gl
                    .clone()
                    .map_or(GlColumn::Fixed(only), GlColumn::Named),
                keys: keys.source.clone(),
                amounts,
                negated: target.sign == Sign::Minus,
                date: keys.date.clone(),
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
    use crate::domain::matching::{RowPlace, Side};

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
