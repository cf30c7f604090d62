//! One run of an item and month at a time, over all machines that share the evidence root.
//!
//! `runs/<item>/period=YYYY-MM/<generation>/` holds `lease.json`, a `beat-NNNNNN.json` for each sign of life, and
//! `ended.json`. All are create-only, so of two runs that want the same generation one wins. A run that shows no sign
//! of life for `lease_expires_after`, or whose process on this machine is gone, is dead: the next run takes the next generation and seals an `ABANDONED` package
//! for it. A run that was thought dead loses the right to load: it looks again just before (ADR-0015).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::run::{FinalMark, ItemStatus, ProcessMark};
use crate::ports::{Clock, PortError, PortErrorKind, Processes, StoreRoot};

use super::record::ItemRecord;
use super::{Tools, check};

/// Attempts to take a generation: each one that fails means that another run took it.
const ATTEMPTS_MAX: usize = 3;

/// What a run leaves when it takes the lease.
#[derive(Debug, Serialize, Deserialize)]
struct Taken {
    at: DateTime<Utc>,
    /// The record as it stood then: what is known of the run should it never end.
    record: ItemRecord,
    /// Its process, where that is known.
    process: Option<ProcessMark>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Beat {
    at: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    at: DateTime<Utc>,
    run_id: RunId,
    status: ItemStatus,
}

/// The right to load one item and month. Dropping it stops the signs of life.
#[derive(Debug)]
pub struct Lease {
    evidence: StoreRoot,
    ipe: IpeId,
    period: Period,
    generation: u64,
    run_id: RunId,
    _beats: JoinSet<()>,
}

/// Folder of the leases of an item and month below the evidence root.
#[must_use]
pub fn leases_folder(ipe: &IpeId, period: Period) -> String {
    format!("runs/{ipe}/period={period}")
}

fn final_path(ipe: &IpeId, period: Period) -> String {
    format!("{}/final.json", leases_folder(ipe, period))
}

/// Marks a month of an item as final: no run loads it any more.
///
/// # Errors
/// `Corrupt` when it is final already by another run or person; storage errors.
pub async fn mark_final(
    evidence: &StoreRoot,
    ipe: &IpeId,
    period: Period,
    mark: &FinalMark,
) -> Result<(), PortError> {
    evidence.create(&final_path(ipe, period), json(mark)?).await
}

/// Takes the lease for the run of `record`; gives with it the record of a run that died holding it.
///
/// # Errors
/// `Denied` when the month is final, or another run is at work: who, since when, and when its lease would expire.
pub async fn take(
    tools: &Tools,
    record: &ItemRecord,
) -> Result<(Lease, Option<ItemRecord>), PortError> {
    let (evidence, clock, limits) = (&tools.evidence, &tools.clock, &tools.limits);
    let (ipe, period) = (&record.ipe, record.context.period);
    refuse_final(evidence, ipe, period).await?;
    for _ in 0..ATTEMPTS_MAX {
        let (generation, dead) = match last(evidence, ipe, period).await? {
            None => (1, None),
            Some(held) if held.ended => (held.generation + 1, None),
            Some(held) if held.is_dead(clock, &tools.processes, limits) => (
                held.generation + 1,
                Some(held.abandoned(clock.now(), record)),
            ),
            Some(held) => return Err(held.refusal(evidence, limits)),
        };
        let taken = Taken {
            at: clock.now(),
            record: record.clone(),
            process: tools.processes.mine(),
        };
        let path = format!("{}/{generation:06}/lease.json", leases_folder(ipe, period));
        match evidence.create(&path, json(&taken)?).await {
            Ok(()) => {
                let lease = Lease {
                    evidence: evidence.clone(),
                    ipe: ipe.clone(),
                    period,
                    generation,
                    run_id: record.context.run_id.clone(),
                    _beats: beats(evidence, clock, limits, &path),
                };
                return Ok((lease, dead));
            }
            // Another run was faster; it is seen in the next round.
            Err(error) if error.kind == PortErrorKind::Corrupt => {}
            Err(error) => return Err(error),
        }
    }
    let what = format!("other runs keep taking {ipe} {period}");
    Err(PortError::new(PortErrorKind::Denied, what).hint("run again when they have ended"))
}

/// Gives signs of life until it is dropped. One that cannot be written is passed over: the next may be, and when
/// none can, the lease expires, which is what it is for.
fn beats(
    evidence: &StoreRoot,
    clock: &Arc<dyn Clock>,
    limits: &Limits,
    lease: &str,
) -> JoinSet<()> {
    let folder = lease.trim_end_matches("/lease.json").to_owned();
    let (evidence, clock) = (evidence.clone(), Arc::clone(clock));
    let interval = limits.lease_beat_interval;
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut number = 0_u64;
        loop {
            tokio::time::sleep(interval).await;
            number += 1;
            let beat = Beat { at: clock.now() };
            let path = format!("{folder}/beat-{number:06}.json");
            let written = match json(&beat) {
                Ok(bytes) => evidence.create(&path, bytes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                tracing::warn!(%error, "a sign of life could not be written");
            }
        }
    });
    task
}

impl Lease {
    /// Whether this run may still load.
    ///
    /// # Errors
    /// `Denied` when another run has taken over, or the month became final.
    pub async fn still_ours(&self) -> Result<(), PortError> {
        refuse_final(&self.evidence, &self.ipe, self.period).await?;
        match last(&self.evidence, &self.ipe, self.period).await? {
            Some(held) if held.generation > self.generation => {
                let by = held.taken.record.context.run_id;
                let what = format!("run {by} took this item and month over; nothing was loaded");
                Err(PortError::new(PortErrorKind::Denied, what).hint(
                    "this run gave no sign of life for too long; see the other run's package",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// Storage errors; the lease then expires by itself.
    pub async fn end(self, clock: &Arc<dyn Clock>, status: ItemStatus) -> Result<(), PortError> {
        let ended = Ended {
            at: clock.now(),
            run_id: self.run_id.clone(),
            status,
        };
        let folder = leases_folder(&self.ipe, self.period);
        let path = format!("{folder}/{:06}/ended.json", self.generation);
        self.evidence.create(&path, json(&ended)?).await
    }
}

/// The newest generation.
struct Held {
    generation: u64,
    taken: Taken,
    /// The last sign of life.
    alive_at: DateTime<Utc>,
    ended: bool,
}

impl Held {
    fn is_dead(
        &self,
        clock: &Arc<dyn Clock>,
        processes: &Arc<dyn Processes>,
        limits: &Limits,
    ) -> bool {
        let is_gone = |process| processes.is_gone(process);
        self.taken.process.as_ref().is_some_and(is_gone)
            || clock.now() >= self.alive_at + whole(limits.lease_expires_after)
    }

    fn refusal(&self, evidence: &StoreRoot, limits: &Limits) -> PortError {
        let context = &self.taken.record.context;
        let expires = self.alive_at + whole(limits.lease_expires_after);
        let what = format!(
            "run {} has been at work on {} {} since {} on {}",
            context.run_id,
            self.taken.record.ipe,
            context.period,
            self.taken.at.format("%H:%M:%S UTC"),
            self.taken.record.places.host,
        );
        let hint = format!(
            "wait until it ends; if it died, its lease expires at {}",
            expires.format("%Y-%m-%d %H:%M:%S UTC")
        );
        PortError::new(PortErrorKind::Denied, what)
            .at("evidence", evidence.uri.clone())
            .hint(hint)
    }

    /// The record of the dead run, as its package will say it.
    fn abandoned(self, now: DateTime<Utc>, by: &ItemRecord) -> ItemRecord {
        let mut record = self.taken.record;
        record.status = ItemStatus::Abandoned;
        record.ended_at = now;
        record.error = Some(format!(
            "the run never ended: its last sign of life was at {}, and run {} took over",
            self.alive_at.format("%Y-%m-%d %H:%M:%S UTC"),
            by.context.run_id
        ));
        record.checks = check::before_load(&record);
        record
    }
}

/// What the leases of an item and month say to those who only look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// The run that is at work now.
    pub at_work: Option<RunId>,
    /// Every run that ever took the lease.
    pub runs: BTreeSet<RunId>,
}

/// Who holds or held an item and month.
///
/// # Errors
/// `Corrupt` for a lease that cannot be read; `Denied`, `Unreachable`.
pub async fn holders(
    evidence: &StoreRoot,
    (ipe, period): (&IpeId, Period),
    clock: &Arc<dyn Clock>,
    processes: &Arc<dyn Processes>,
    limits: &Limits,
) -> Result<Holders, PortError> {
    let mut holders = Holders::default();
    for stored in evidence.list(&leases_folder(ipe, period)).await? {
        if stored.path.ends_with("/lease.json") {
            let taken: Taken = read(evidence, &stored.path).await?;
            holders.runs.insert(taken.record.context.run_id);
        }
    }
    let last = last(evidence, ipe, period).await?;
    let alive = last.filter(|held| !held.ended && !held.is_dead(clock, processes, limits));
    if let Some(held) = alive {
        let run_id = held.taken.record.context.run_id;
        // It may have come after the list above.
        holders.runs.insert(run_id.clone());
        holders.at_work = Some(run_id);
    }
    Ok(holders)
}

async fn last(
    evidence: &StoreRoot,
    ipe: &IpeId,
    period: Period,
) -> Result<Option<Held>, PortError> {
    let folder = leases_folder(ipe, period);
    let stored = evidence.list(&folder).await?;
    let names: Vec<(u64, &str)> = stored
        .iter()
        .filter_map(|object| {
            let below = object.path.strip_prefix(&folder)?.trim_start_matches('/');
            let (generation, name) = below.split_once('/')?;
            Some((generation.parse().ok()?, name))
        })
        .collect();
    let Some(generation) = names.iter().map(|(generation, _)| *generation).max() else {
        return Ok(None);
    };
    let of_it = names.iter().filter(|(number, _)| *number == generation);
    let of_it: Vec<&str> = of_it.map(|(_, name)| *name).collect();
    let path = |name: &str| format!("{folder}/{generation:06}/{name}");
    let taken: Taken = read(evidence, &path("lease.json")).await?;
    let beat = of_it.iter().filter(|name| name.starts_with("beat-")).max();
    let alive_at = match beat {
        Some(name) => read::<Beat>(evidence, &path(name)).await?.at,
        None => taken.at,
    };
    Ok(Some(Held {
        generation,
        taken,
        alive_at,
        ended: of_it.contains(&"ended.json"),
    }))
}

async fn refuse_final(evidence: &StoreRoot, ipe: &IpeId, period: Period) -> Result<(), PortError> {
    let path = final_path(ipe, period);
    if evidence.find(&path).await?.is_none() {
        return Ok(());
    }
    let mark: FinalMark = read(evidence, &path).await?;
    let what = format!(
        "{ipe} {period} is final: {} closed it on {} with run {}",
        mark.by,
        mark.at.format("%Y-%m-%d %H:%M UTC"),
        mark.run_id
    );
    Err(PortError::new(PortErrorKind::Denied, what)
        .hint("a final month is not loaded again; if it must be, have it reopened first"))
}

async fn read<T: serde::de::DeserializeOwned>(
    evidence: &StoreRoot,
    path: &str,
) -> Result<T, PortError> {
    let bytes = evidence.get(path).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        PortError::new(PortErrorKind::Corrupt, format!("not readable: {error}"))
            .at("uri", evidence.uri_of(path))
            .hint("another program wrote there; move the file away and run again")
    })
}

fn json(value: &impl Serialize) -> Result<Bytes, PortError> {
    let text = serde_json::to_vec_pretty(value);
    let text = text.map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
    Ok(Bytes::from(text))
}

fn whole(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
