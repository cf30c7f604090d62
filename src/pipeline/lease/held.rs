//! What stands in the folder of the leases: the newest generation, its signs of life, and who ever held the month.
//!
//! May use storage below the root of the leases; writes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Leases, leases_folder};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::manifest::Submitted;
use crate::domain::period::Period;
use crate::domain::run::{Holder, ItemStatus, ProcessMark};
use crate::pipeline::check;
use crate::pipeline::record::ItemRecord;
use crate::ports::{Clock, PortError, PortErrorKind, Processes, StoreRoot};

use super::Untaken;

/// Who takes a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taker {
    /// Name of the run or the publication.
    pub run_id: RunId,
    /// The item, or what stands where items have their name ([`IpeId::of_published`]).
    pub ipe: IpeId,
    /// The month.
    pub period: Period,
    /// Host that it runs on.
    pub host: String,
}

impl Taker {
    /// The run of a record.
    pub(super) fn of(record: &ItemRecord) -> Self {
        Self {
            run_id: record.context.run_id.clone(),
            ipe: record.ipe.clone(),
            period: record.context.period,
            host: record.places.host.clone(),
        }
    }
}

/// What is left when a lease is taken.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) at: DateTime<Utc>,
    /// The record of a run as it stood then: what is known of it should it never end. A publication has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<ItemRecord>,
    /// The publication, where one took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) publication: Option<Taker>,
    /// Its process, where that is known.
    pub(super) process: Option<ProcessMark>,
    /// The first run that ever took the item and month with this evidence root; `None` in leases of older programs.
    #[serde(default)]
    pub(super) line: Option<RunId>,
    /// Generations that came before the first one in this root: those of the evidence root, where leases have got a root of
    /// their own.
    #[serde(default)]
    pub(super) before: u64,
    /// What is to be sealed in the names of the runs that died before it: written here first, so that whoever
    /// comes after a cut seals the same bytes.
    #[serde(default)]
    pub(super) dead: Vec<ItemRecord>,
}

impl Taken {
    /// Who took it; `None` in a file that is no lease.
    fn by(&self) -> Option<Taker> {
        let run = self.record.as_ref().map(Taker::of);
        run.or_else(|| self.publication.clone())
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) at: DateTime<Utc>,
}

/// What is left before a load job is submitted, and when it is certain that it replaced nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LoadNote {
    pub(super) load: Option<Submitted>,
}

/// The newest generation.
pub(super) struct Held {
    /// The number of its folder.
    folder: u64,
    /// Whether it lies in the root that leases are taken in.
    is_here: bool,
    pub(super) taken: Taken,
    pub(super) by: Taker,
    /// The last sign of life.
    alive_at: DateTime<Utc>,
    /// The load that it noted last, unless that replaced nothing.
    submitted: Option<Submitted>,
    pub(super) ended: bool,
}

impl Held {
    pub(super) fn is_dead(
        &self,
        clock: &Arc<dyn Clock>,
        processes: &Arc<dyn Processes>,
        limits: &Limits,
    ) -> bool {
        let is_gone = |process| processes.is_gone(process);
        self.taken.process.as_ref().is_some_and(is_gone)
            || clock.now() >= self.alive_at + whole(limits.lease_expires_after)
    }

    /// Who holds it.
    pub(super) fn holder(&self, limits: &Limits) -> Holder {
        Holder {
            run_id: self.by.run_id.clone(),
            since: self.taken.at,
            host: self.by.host.clone(),
            expires_at: self.alive_at + whole(limits.lease_expires_after),
        }
    }

    pub(super) fn refusal(&self, leases: &Leases, limits: &Limits) -> Untaken {
        let holder = self.holder(limits);
        let (word, of) = match &self.taken.record {
            Some(record) => ("run", record.ipe.as_str()),
            None => ("publication", "the tables of"),
        };
        let what = format!(
            "{word} {} has been at work on {of} {} since {} on {}",
            holder.run_id,
            self.by.period,
            holder.since.format("%H:%M:%S UTC"),
            holder.host,
        );
        let hint = format!(
            "wait until it ends; if it died, its lease expires at {}",
            holder.expires_at.format("%Y-%m-%d %H:%M:%S UTC")
        );
        let error = PortError::new(PortErrorKind::Denied, what)
            .at("leases", leases.root.uri.clone())
            .hint(hint);
        Untaken::Held(holder, error)
    }

    /// What one is told whom it took over.
    pub(super) fn took_over(&self) -> PortError {
        let by = &self.by.run_id;
        let (what, hint) = match &self.taken.record {
            Some(_) => (
                format!("run {by} took this item and month over; nothing was loaded"),
                "this run gave no sign of life for too long; see the other run's package",
            ),
            None => (
                format!(
                    "publication {by} took the tables of {} over",
                    self.by.period
                ),
                "this one gave no sign of life for too long; the other one has read the evidence after it",
            ),
        };
        PortError::new(PortErrorKind::Denied, what).hint(hint)
    }

    /// Says of a publication that never ended which load it leaves open; of a run its package says it.
    pub(super) fn say_open(&self) {
        let job = self.submitted.as_ref().map(|load| load.job_id.as_str());
        let publication = self.by.run_id.as_str();
        tracing::warn!(
            publication,
            job,
            "a publication never ended; the next one takes its place, and replaces what its load may still show"
        );
    }

    /// Its place in the line.
    pub(super) fn generation(&self) -> u64 {
        self.taken.before.saturating_add(self.folder)
    }

    /// The folder of the next one, and the generations that came before the first one beside it. In a root without any
    /// it is always the first, so that all who begin there want the same name.
    pub(super) fn next(&self) -> (u64, u64) {
        match self.is_here {
            true => (self.folder + 1, self.taken.before),
            false => (1, self.generation()),
        }
    }

    /// The first run of the line in which this one stands.
    pub(super) fn line(&self) -> RunId {
        self.taken.line.as_ref().unwrap_or(&self.by.run_id).clone()
    }

    /// The record of the dead run, as its package will say it; `None` of a publication.
    pub(super) fn abandoned(&self, now: DateTime<Utc>, by: &ItemRecord) -> Option<ItemRecord> {
        let mut record = self.taken.record.clone()?;
        record.status = ItemStatus::Abandoned;
        record.ended_at = now;
        let load = self.submitted.as_ref().map_or_else(String::new, |load| {
            format!("; its load job {} may have replaced the month", load.job_id)
        });
        record.error = Some(format!(
            "the run never ended: its last sign of life was at {}, and run {} took over{load}",
            self.alive_at.format("%Y-%m-%d %H:%M:%S UTC"),
            by.context.run_id
        ));
        record.submitted = self.submitted.clone();
        record.checks = check::before_load(&record);
        record.verification = check::after_load(&record);
        Some(record)
    }
}

/// The run that is at work on an item and month now.
///
/// # Errors
/// As [`holders`].
pub async fn at_work(
    leases: &Leases,
    (ipe, period): (&IpeId, Period),
    clock: &Arc<dyn Clock>,
    processes: &Arc<dyn Processes>,
    limits: &Limits,
) -> Result<Option<Holder>, PortError> {
    leases.agree().await?;
    let last = last(leases, ipe, period).await?;
    let alive = last.filter(|held| !held.ended && !held.is_dead(clock, processes, limits));
    Ok(alive.map(|held| held.holder(limits)))
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
/// `Corrupt` for a lease that cannot be read; `Config` where the evidence root names another root of leases; `Denied`,
/// `Unreachable`.
pub async fn holders(
    leases: &Leases,
    (ipe, period): (&IpeId, Period),
    clock: &Arc<dyn Clock>,
    processes: &Arc<dyn Processes>,
    limits: &Limits,
) -> Result<Holders, PortError> {
    leases.agree().await?;
    let mut holders = Holders::default();
    for root in leases.places() {
        for stored in root.list(&leases_folder(ipe, period)).await? {
            if stored.path.ends_with("/lease.json") {
                let (by, _) = lease(root, &stored.path).await?;
                holders.runs.insert(by.run_id);
            }
        }
    }
    let last = last(leases, ipe, period).await?;
    let alive = last.filter(|held| !held.ended && !held.is_dead(clock, processes, limits));
    if let Some(held) = alive {
        let run_id = held.by.run_id;
        // It may have come after the list above.
        holders.runs.insert(run_id.clone());
        holders.at_work = Some(run_id);
    }
    Ok(holders)
}

/// The newest generation: of the leases' own root, or of the evidence root where that one has none yet. So the line goes
/// on when leases get a root of their own.
pub(super) async fn last(
    leases: &Leases,
    ipe: &IpeId,
    period: Period,
) -> Result<Option<Held>, PortError> {
    for (place, root) in leases.places().enumerate() {
        if let Some(held) = last_in(root, place == 0, (ipe, period)).await? {
            return Ok(Some(held));
        }
    }
    Ok(None)
}

async fn last_in(
    root: &StoreRoot,
    is_here: bool,
    (ipe, period): (&IpeId, Period),
) -> Result<Option<Held>, PortError> {
    let folder = leases_folder(ipe, period);
    let stored = root.list(&folder).await?;
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
    let (by, taken) = lease(root, &path("lease.json")).await?;
    let beat = of_it.iter().filter(|name| name.starts_with("beat-")).max();
    let alive_at = match beat {
        Some(name) => read::<Beat>(root, &path(name)).await?.at,
        None => taken.at,
    };
    let ended = of_it.contains(&"ended.json");
    let load = of_it.iter().filter(|name| name.starts_with("load-")).max();
    let submitted = match load.filter(|_| !ended) {
        Some(name) => read::<LoadNote>(root, &path(name)).await?.load,
        None => None,
    };
    Ok(Some(Held {
        folder: generation,
        is_here,
        taken,
        by,
        alive_at,
        submitted,
        ended,
    }))
}

/// A lease and who took it.
async fn lease(root: &StoreRoot, path: &str) -> Result<(Taker, Taken), PortError> {
    let taken: Taken = read(root, path).await?;
    match taken.by() {
        Some(by) => Ok((by, taken)),
        None => Err(unreadable(root, path, "it says of nobody that he took it")),
    }
}

pub(super) async fn read<T: serde::de::DeserializeOwned>(
    root: &StoreRoot,
    path: &str,
) -> Result<T, PortError> {
    let bytes = root.get(path).await?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(root, path, &error.to_string()))
}

fn unreadable(root: &StoreRoot, path: &str, why: &str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, format!("not readable: {why}"))
        .at("uri", root.uri_of(path))
        .hint("another program wrote there; move the file away and run again")
}

fn whole(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
