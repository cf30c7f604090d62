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
/// `Corrupt` for a part that is not what was staged, and for a result that contradicts itself; the disk of the scratch.
/// More rows than the limits hold are noted in `all`.
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
                Err(MatchError::TooMany { what, max }) => {
                    let what = format!("more than {max} {what}");
                    all.not_computed
                        .insert(format!("matching of {}", line.id), what);
                }
                Err(MatchError::Port(error)) => return Err(error),
                Err(error) => {
                    return Err(PortError::new(PortErrorKind::Corrupt, error.to_string())
                        .at("line", line.id.clone()));
                }
            }
        }
    }
    Ok(())
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
