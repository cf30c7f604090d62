//! What must hold whenever every run sleeps or has ended; a sentence says what does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use soxauto::domain::digest::sha256_hex;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::ports::{StoreRoot, Warehouse as _};

use super::source::{item, rows_of};
use super::world::World;
use crate::evidence::sample::period;
use crate::evidence::world::verify;

/// What was seen earlier.
#[derive(Default)]
pub(super) struct Judge {
    /// The generation of the run that the month showed.
    shown: u64,
    verified: BTreeSet<String>,
}

pub(crate) type Verdict = Result<(), String>;

pub(crate) fn hold(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

impl Judge {
    /// The month, the packages, and what a run said that has just ended.
    pub(super) async fn look(&mut self, world: &World, ended: Option<&ItemOutcome>) -> Verdict {
        let leases = leases(&world.evidence).await;
        self.month(world, &leases).await?;
        self.packages(world, false).await?;
        match ended {
            Some(outcome) => said(world, outcome, &leases).await,
            None => Ok(()),
        }
    }

    /// One run's files, as that run staged them; never one that stood before the run shown earlier.
    async fn month(&mut self, world: &World, leases: &BTreeMap<u64, String>) -> Verdict {
        let table = item().id.table_name();
        let shown = world.warehouse.current(&table, period()).unwrap();
        let shown = shown.ok_or("the month is gone")?;
        let run = shown.run_id.as_str();
        let job = world.jobs.lock().unwrap().get(run).cloned();
        let job = job.ok_or_else(|| format!("the month shows {run}, which loaded nothing"))?;
        let named: Vec<_> = shown.files.iter().map(|file| &file.sha256).collect();
        let staged: Vec<_> = job.parts.iter().map(|part| &part.sha256).collect();
        hold(named == staged, || {
            format!("a mixture: the month of {run} has other files than it staged")
        })?;
        for (path, part) in world
            .warehouse
            .current_parts(&table, period())
            .unwrap()
            .iter()
            .zip(&job.parts)
        {
            let bytes =
                std::fs::read(path).map_err(|error| format!("the month of {run}: {error}"))?;
            hold(sha256_hex(&bytes) == part.sha256, || {
                format!("a mixture: {run} did not stage these bytes")
            })?;
        }
        let generation = leases.iter().find(|(_, holder)| *holder == run);
        let generation = *generation
            .ok_or_else(|| format!("{run} never held the lease"))?
            .0;
        hold(generation >= self.shown, || {
            format!(
                "the month went back from generation {} to {generation}",
                self.shown
            )
        })?;
        self.shown = generation;
        Ok(())
    }

    /// Every sealed package verifies, once or, at the end, again.
    async fn packages(&mut self, world: &World, again: bool) -> Verdict {
        for folder in sealed(world).await {
            if !again && self.verified.contains(&folder) {
                continue;
            }
            let cleaned = |run: &String| folder.ends_with(run.as_str());
            if world.cleaned_under.iter().any(cleaned) {
                continue;
            }
            let report = verify(&world.evidence.below(&folder)).await;
            hold(
                report.findings.is_empty() && report.not_run.is_empty(),
                || format!("{folder} does not verify: {report:#?}"),
            )?;
            self.verified.insert(folder);
        }
        Ok(())
    }

    /// At the end: the rows of the month are those of its run, whatever anybody noted; every package still verifies.
    pub(super) async fn close(&mut self, world: &World) -> Verdict {
        let contract = item().contract;
        let table = item().id.table_name();
        let found = world.warehouse.read_back(&table, period(), &contract, 100);
        let found = found.await.map_err(|error| error.to_string())?;
        let rows = BTreeMap::from([(
            World::context(world.runs).run_id.to_string(),
            u64::from(rows_of(world.runs)),
        )]);
        hold(found.run_ids == rows, || {
            format!("the month has {:?}, not {rows:?}", found.run_ids)
        })?;
        self.packages(world, true).await
    }
}

/// Run by generation, in a root of leases.
pub(crate) async fn leases(root: &StoreRoot) -> BTreeMap<u64, String> {
    let mut runs = BTreeMap::new();
    for stored in root.list("runs").await.unwrap() {
        let steps: Vec<&str> = stored.path.split('/').collect();
        if let [_, _, _, generation, "lease.json"] = steps.as_slice() {
            let lease = root.get(&stored.path).await.unwrap();
            let lease: Value = serde_json::from_slice(&lease).unwrap();
            let run = lease["record"]["context"]["run_id"].as_str().unwrap();
            runs.insert(generation.parse().unwrap(), run.to_owned());
        }
    }
    runs
}

async fn sealed(world: &World) -> BTreeSet<String> {
    let stored = world.evidence.list("").await.unwrap().into_iter();
    let folder = |path: String| Some(path.strip_suffix("/manifest-sha256.txt")?.to_owned());
    stored.filter_map(|stored| folder(stored.path)).collect()
}

/// A success leaves nobody without a last word; anything else says what to do, and is sealed or says that it is not.
async fn said(world: &World, outcome: &ItemOutcome, leases: &BTreeMap<u64, String>) -> Verdict {
    let record = &outcome.record;
    let run = record.context.run_id.as_str();
    let error = record.error.as_deref().unwrap_or_default();
    hold(
        outcome.package.is_some() || error.contains("could not be sealed"),
        || format!("{run} is not sealed and does not say so: {error}"),
    )?;
    match record.status {
        ItemStatus::Error => hold(error.contains("hint: "), || {
            format!("{run} does not say what to do: {error}")
        }),
        ItemStatus::Failed => {
            let mut checks = record.checks.iter().chain(&record.verification);
            hold(checks.any(|check| !check.findings.is_empty()), || {
                format!("{run} was held and does not say why")
            })
        }
        ItemStatus::Abandoned => Err(format!("{run} calls itself abandoned")),
        ItemStatus::Success => {
            let sealed = sealed(world).await;
            let own = leases.iter().find(|(_, holder)| *holder == run);
            let own = own
                .ok_or_else(|| format!("{run} loaded without a lease"))?
                .0;
            for earlier in leases.range(..own).map(|(_, run)| run) {
                let is_its = |folder: &String| folder.contains(earlier.as_str());
                hold(sealed.iter().any(is_its), || {
                    format!("{earlier} has no last word, though {run} came after it")
                })?;
            }
            Ok(())
        }
    }
}
