//! Where rows come from: the runs that the footers name, and what the records of those runs say.

use std::collections::BTreeMap;

use super::find;
use super::open::Parts;
use super::{Knowledge, RunView};
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::domain::digest::TableDigest;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::manifest::Staged;
use crate::domain::period::Period;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::run_folder;
use crate::ports::PortError;

/// A run that wrote some of the rows.
pub(super) struct Run {
    pub(super) view: RunView,
    /// Contracts of its item: the record's, then the catalog's.
    pub(super) contracts: Vec<Contract>,
    /// What its record says of all the rows that it staged.
    staged: Option<Staged>,
}

impl Run {
    /// What was recorded, if the rows here are all the rows that the run staged.
    fn complete(&self) -> Option<&Staged> {
        self.staged
            .as_ref()
            .filter(|staged| staged.rows() == self.view.rows)
    }
}

/// The runs that the footers name, in the order of the files.
///
/// # Errors
/// `Corrupt` for a record that cannot be read; `Denied`, `Unreachable`.
pub(super) async fn find(
    parts: &Parts,
    given: Option<&ItemRecord>,
    knowledge: Knowledge<'_>,
) -> Result<Vec<Run>, PortError> {
    let mut views: Vec<RunView> = Vec::new();
    for (pairs, rows) in parts.key_values() {
        let of = |key: &str| pairs.get(&format!("soxauto.{key}")).cloned();
        let (Some(run_id), Some(item)) = (of("run_id"), of("ipe_id")) else {
            continue;
        };
        let same = |view: &&mut RunView| view.run_id == run_id && view.item == item;
        if let Some(view) = views.iter_mut().find(same) {
            view.rows += rows;
            continue;
        }
        views.push(RunView {
            run_id,
            item,
            period: of("period").unwrap_or_default(),
            contract_version: of("contract_version").unwrap_or_default(),
            definition_sha256: of("definition_sha256").unwrap_or_default(),
            rows,
            status: None,
            not_control_evidence: Vec::new(),
            evidence: None,
        });
    }
    let mut runs = Vec::new();
    for view in views {
        runs.push(with_record(view, given, knowledge).await?);
    }
    Ok(runs)
}

async fn with_record(
    mut view: RunView,
    given: Option<&ItemRecord>,
    knowledge: Knowledge<'_>,
) -> Result<Run, PortError> {
    let names = (
        view.item.parse::<IpeId>(),
        view.period.parse::<Period>(),
        view.run_id.parse::<RunId>(),
    );
    let (Ok(item), Ok(period), Ok(run_id)) = names else {
        return Ok(Run {
            view,
            contracts: Vec::new(),
            staged: None,
        });
    };
    let is_it = |record: &&ItemRecord| record.ipe == item && record.context.run_id == run_id;
    let mut record = given.filter(is_it).cloned();
    if record.is_none()
        && let Some(evidence) = knowledge.evidence
    {
        let package = evidence.below(&run_folder(&item, period, &run_id));
        record = find::record(&package).await?;
        view.evidence = record.as_ref().map(|_| package.uri);
    }
    let mut contracts: Vec<Contract> = (knowledge.contract)(&item).into_iter().collect();
    let mut staged = None;
    if let Some(record) = record {
        view.status = Some(format!("{:?}", record.status).to_uppercase());
        let stamps = record.context.stamps.iter();
        view.not_control_evidence = stamps.map(|stamp| stamp.reason().to_owned()).collect();
        contracts.insert(0, record.contract);
        staged = record.staged;
    }
    Ok(Run {
        view,
        contracts,
        staged,
    })
}

/// What does not fit between the files and the records.
pub(super) fn notes(runs: &[Run]) -> Vec<String> {
    let part = runs.iter().filter_map(|run| {
        let staged = run.staged.as_ref()?.rows();
        let rows = run.view.rows;
        let name = format!("{}@{}", run.view.item, run.view.run_id);
        (staged != rows)
            .then(|| format!("these are {rows} of the {staged} rows that {name} staged"))
    });
    part.collect()
}

/// Digest of all rows as it was recorded; `None` unless every run's is known and its rows are all here.
pub(super) fn digest(runs: &[Run]) -> Option<TableDigest> {
    let mut digests = runs
        .iter()
        .map(|run| run.complete().map(|staged| staged.digest));
    let first = digests.next()??;
    digests.try_fold(first, |sum, digest| Some(sum.merge(&digest?)))
}

/// Sums of all rows by amount as they were recorded; empty unless every run's are known and its rows are all here.
pub(super) fn sums(runs: &[Run]) -> BTreeMap<String, Amount> {
    let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
    for run in runs {
        let Some(staged) = run.complete() else {
            return BTreeMap::new();
        };
        for group in staged.totals.groups.values() {
            for (name, sum) in staged.totals.amounts.iter().zip(&group.sums) {
                let so_far = sums
                    .get(name)
                    .copied()
                    .unwrap_or_else(|| Amount::zero(sum.scale()));
                match so_far.checked_add(*sum) {
                    Ok(sum) => sums.insert(name.clone(), sum),
                    Err(_) => return BTreeMap::new(),
                };
            }
        }
    }
    sums
}
