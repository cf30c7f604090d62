//! One run of an item and month at a time, over all machines that share the root of the leases.
//!
//! `runs/<item>/period=YYYY-MM/<generation>/` holds `lease.json`, a `beat-NNNNNN.beat` for each sign of life, a
//! `load-NNNNNN.json` before each load job, and `ended.json`. All are create-only, so of two runs that want the same
//! generation one wins. A run that shows no sign of life for `lease_expires_after`, or whose process on this machine is
//! gone, is dead: the next run takes the next generation and seals an `ABANDONED` package for it. A run that was thought
//! dead loses the right to load: it looks again just before (ADR-0015), and the warehouse refuses it after (ADR-0024).
//! Where the root of the leases is, the evidence root knows (ADR-0029). Publications of a month stand in such a line too,
//! under a name of their own (ADR-0044): they seal no package, and a final month does not refuse them.

mod held;
mod roots;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::domain::ids::{IpeId, RunId};
use crate::domain::limits::Limits;
use crate::domain::manifest::Submitted;
use crate::domain::period::Period;
use crate::domain::run::{Fence, Holder, ItemStatus};
use crate::ports::{Clock, PortError, PortErrorKind, Processes, StoreRoot};

use held::{Beat, Held, LoadNote, Taken, last};
pub use held::{Holders, Taker, at_work, holders};
pub use roots::Leases;

use super::Tools;
use super::months;
use super::package;
use super::record::ItemRecord;

/// Attempts to take a generation: each one that fails means that another run took it.
const ATTEMPTS_MAX: usize = 3;

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    at: DateTime<Utc>,
    run_id: RunId,
    status: ItemStatus,
}

/// Where leases are taken, and what says whether whoever holds one is alive.
#[derive(Clone, Copy)]
pub struct LeaseTools<'a> {
    /// The root that they lie in.
    pub leases: &'a Leases,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// Who runs on this machine.
    pub processes: &'a Arc<dyn Processes>,
    /// When a lease expires.
    pub limits: &'a Limits,
}

/// For whom a lease is taken.
#[derive(Clone, Copy)]
enum Whom<'a> {
    Run(&'a Tools, &'a ItemRecord),
    Publication(&'a Taker),
}

/// Why a lease was not taken.
#[derive(Debug)]
pub enum Untaken {
    /// Another run is at work: who, and the same in words.
    Held(Holder, PortError),
    /// The month is final, or it could not be found out.
    Refused(PortError),
}

impl From<PortError> for Untaken {
    fn from(error: PortError) -> Self {
        Self::Refused(error)
    }
}

impl From<Untaken> for PortError {
    fn from(untaken: Untaken) -> Self {
        match untaken {
            Untaken::Held(_, error) | Untaken::Refused(error) => error,
        }
    }
}

/// The right to load one item and month, or the published tables of a month. Dropping it stops the signs of life.
#[derive(Debug)]
pub struct Lease {
    leases: Leases,
    ipe: IpeId,
    period: Period,
    fence: Fence,
    run_id: RunId,
    /// Where its signs lie below the root of the leases.
    folder: String,
    /// Notes of loads that were written.
    loads: u32,
    _beats: JoinSet<()>,
}

/// Folder of the leases of an item below their root.
#[must_use]
pub fn leases_of(ipe: &IpeId) -> String {
    format!("runs/{ipe}")
}

/// Folder of the leases of an item and month below their root.
#[must_use]
pub fn leases_folder(ipe: &IpeId, period: Period) -> String {
    format!("{}/period={period}", leases_of(ipe))
}

/// Takes the lease for the run of `record`; gives with it the records of runs that died and that nobody has sealed yet.
///
/// # Errors
/// [`Untaken::Held`] when another run is at work: who, since when, and when its lease would expire; `Denied` when the
/// month is final.
pub async fn take(tools: &Tools, record: &ItemRecord) -> Result<(Lease, Vec<ItemRecord>), Untaken> {
    refuse_final(&tools.evidence, record.context.period).await?;
    let lease_tools = LeaseTools {
        leases: &tools.leases,
        clock: &tools.clock,
        processes: &tools.processes,
        limits: &tools.limits,
    };
    next(lease_tools, Whom::Run(tools, record)).await
}

/// Takes the lease of a month's published tables, also where the month is final; a publication that died leaves nothing to
/// seal.
///
/// # Errors
/// [`Untaken::Held`] when another publication is at work.
pub async fn take_tables(tools: LeaseTools<'_>, publication: &Taker) -> Result<Lease, Untaken> {
    let (lease, _none) = next(tools, Whom::Publication(publication)).await?;
    Ok(lease)
}

/// Takes the next generation, unless the newest is at work.
async fn next(tools: LeaseTools<'_>, whom: Whom<'_>) -> Result<(Lease, Vec<ItemRecord>), Untaken> {
    let LeaseTools {
        leases,
        clock,
        processes,
        limits,
    } = tools;
    let Taker {
        run_id,
        ipe,
        period,
        ..
    } = whom.taker();
    leases.claim(&run_id, clock.now()).await?;
    for _ in 0..ATTEMPTS_MAX {
        let held = last(leases, &ipe, period).await?;
        if let Some(held) = &held
            && !held.ended
            && !held.is_dead(clock, processes, limits)
        {
            return Err(held.refusal(leases, limits));
        }
        let (number, before) = held.as_ref().map_or((1, 0), Held::next);
        let fence = Fence {
            line: held.as_ref().map_or_else(|| run_id.clone(), Held::line),
            generation: before.saturating_add(number),
        };
        let (record, publication) = whom.known();
        let taken = Taken {
            at: clock.now(),
            record,
            publication,
            process: processes.mine(),
            line: Some(fence.line.clone()),
            before,
            dead: whom.unsealed(held).await?,
        };
        let folder = format!("{}/{number:06}", leases_folder(&ipe, period));
        let path = format!("{folder}/lease.json");
        match leases.root.create(&path, json(&taken)?).await {
            Ok(()) => {
                let lease = Lease {
                    leases: leases.clone(),
                    ipe,
                    period,
                    fence,
                    run_id,
                    loads: 0,
                    _beats: beats(&leases.root, clock, limits, &folder),
                    folder,
                };
                return Ok((lease.seen(clock).await?, taken.dead));
            }
            // Another run was faster; it is seen in the next round.
            Err(error) if error.kind == PortErrorKind::Corrupt => {}
            Err(error) => return Err(error.into()),
        }
    }
    let what = format!("other runs keep taking {ipe} {period}");
    Err(PortError::new(PortErrorKind::Denied, what)
        .hint("run again when they have ended")
        .into())
}

impl Whom<'_> {
    fn taker(self) -> Taker {
        match self {
            Self::Run(_, record) => Taker::of(record),
            Self::Publication(taker) => taker.clone(),
        }
    }

    /// What is known of it should it never end.
    fn known(self) -> (Option<ItemRecord>, Option<Taker>) {
        match self {
            Self::Run(_, record) => (Some(record.clone()), None),
            Self::Publication(taker) => (None, Some(taker.clone())),
        }
    }

    /// What it is to seal in the names of the dead.
    async fn unsealed(self, held: Option<Held>) -> Result<Vec<ItemRecord>, PortError> {
        match self {
            Self::Run(tools, record) => unsealed(tools, held, record).await,
            Self::Publication(_) => {
                if let Some(dead) = held.filter(|held| !held.ended) {
                    dead.say_open();
                }
                Ok(Vec::new())
            }
        }
    }
}

/// The dead whom nobody has sealed: those that the last run was to seal, and that run itself if it never ended.
async fn unsealed(
    tools: &Tools,
    held: Option<Held>,
    by: &ItemRecord,
) -> Result<Vec<ItemRecord>, PortError> {
    let Some(mut held) = held else {
        return Ok(Vec::new());
    };
    let mut dead = std::mem::take(&mut held.taken.dead);
    if !held.ended {
        dead.extend(held.abandoned(tools.clock.now(), by));
    }
    let mut left = Vec::new();
    for record in dead {
        if !package::is_sealed(&tools.evidence, &record).await? {
            left.push(record);
        }
    }
    Ok(left)
}

/// Gives signs of life until it is dropped. One that cannot be written is passed over: the next may be, and when
/// none can, the lease expires, which is what it is for.
fn beats(root: &StoreRoot, clock: &Arc<dyn Clock>, limits: &Limits, lease: &str) -> JoinSet<()> {
    let folder = lease.trim_end_matches("/lease.json").to_owned();
    let (root, clock) = (root.clone(), Arc::clone(clock));
    let interval = limits.lease_beat_interval;
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut number = 0_u64;
        loop {
            tokio::time::sleep(interval).await;
            number += 1;
            let beat = Beat { at: clock.now() };
            let path = format!("{folder}/beat-{number:06}.beat");
            let written = match json(&beat) {
                Ok(bytes) => root.create(&path, bytes).await,
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
    /// Gives it back at once when the leases have got another root meanwhile: their runs do not see this one.
    async fn seen(self, clock: &Arc<dyn Clock>) -> Result<Self, PortError> {
        let Err(moved) = self.leases.agree().await else {
            return Ok(self);
        };
        if let Err(error) = self.end(clock, ItemStatus::Error).await {
            tracing::warn!(%error, "the lease was not given back; it expires by itself");
        }
        Err(moved)
    }

    /// The place of this run in the line of those that held the item and month.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Whether this run may still load.
    ///
    /// # Errors
    /// `Denied` when another run has taken over, or the month became final; `Config` when the leases have got another
    /// root.
    pub async fn still_ours(&self) -> Result<(), PortError> {
        refuse_final(&self.leases.evidence, self.period).await?;
        self.not_overtaken().await
    }

    /// Whether nobody has taken over: all that keeps a publication from loading.
    ///
    /// # Errors
    /// `Denied` when another one has; `Config` when the leases have got another root.
    pub async fn not_overtaken(&self) -> Result<(), PortError> {
        self.leases.agree().await?;
        match last(&self.leases, &self.ipe, self.period).await? {
            Some(held) if held.generation() > self.fence.generation => Err(held.took_over()),
            _ => Ok(()),
        }
    }

    /// Notes beside the lease the load that is about to be submitted, or that the last one replaced nothing.
    ///
    /// # Errors
    /// Storage errors: then nobody could say after a kill which job it was.
    pub async fn note_load(&mut self, load: Option<&Submitted>) -> Result<(), PortError> {
        self.loads += 1;
        let note = json(&LoadNote {
            load: load.cloned(),
        })?;
        let path = format!("{}/load-{:06}.json", self.folder, self.loads);
        self.leases.root.create(&path, note).await
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
        let path = format!("{}/ended.json", self.folder);
        self.leases.root.create(&path, json(&ended)?).await
    }
}

/// A month that somebody closed is loaded no more: its log says so, which is evidence and lies there.
async fn refuse_final(evidence: &StoreRoot, period: Period) -> Result<(), PortError> {
    let Some(mark) = months::read(evidence, period).await?.closed() else {
        return Ok(());
    };
    let what = format!(
        "{period} is final: {} closed it on {} with run {}",
        mark.by,
        mark.at.format("%Y-%m-%d %H:%M UTC"),
        mark.run_id
    );
    Err(PortError::new(PortErrorKind::Denied, what)
        .hint("a final month is not loaded again; if it must be, open it with `soxauto reopen`"))
}

fn json(value: &impl Serialize) -> Result<Bytes, PortError> {
    let text = serde_json::to_vec_pretty(value);
    let text = text.map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
    Ok(Bytes::from(text))
}
