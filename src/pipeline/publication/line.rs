//! The place of a publication in the line of its month: one is at work at a time, and what an earlier one still loads cannot
//! take the place of what a later one counted (ADR 44).
//!
//! The line is that of the leases, as the runs of an item have one. Whoever comes waits for the one that is at work: what was
//! sealed by then it reads itself.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::Publisher;
use crate::domain::ids::IpeId;
use crate::domain::manifest::Submitted;
use crate::domain::period::Period;
use crate::domain::run::{ItemStatus, RunContext};
use crate::pipeline::lease::{Lease, LeaseTools, Taker, Untaken, take_tables};
use crate::pipeline::publish::left_open;
use crate::ports::{LoadListener, PortError, PortErrorKind};

/// First pause before another look at who is at work; doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Takes the next place in the line of the month, for the publication of that name. It holds for one load of each table.
///
/// # Errors
/// `Denied` names the publication that was at work all the while; `Limit` when it is asked to stop before it has a place;
/// `Config` where the evidence root names another root of leases; `Corrupt` for a lease that cannot be read; `Denied`,
/// `Unreachable`.
pub async fn enter(publisher: Publisher<'_>, context: &RunContext) -> Result<Lease, PortError> {
    let tools = LeaseTools {
        leases: publisher.leases,
        clock: publisher.clock,
        processes: publisher.processes,
        limits: publisher.limits,
    };
    let taker = Taker {
        run_id: context.run_id.clone(),
        ipe: IpeId::of_published(),
        period: context.period,
        host: publisher.host.to_owned(),
    };
    let wait = publisher.limits.publication_wait;
    let until = Instant::now() + wait;
    let mut pause = PAUSE_FIRST;
    while !publisher.stop.is_cancelled() {
        let held = match take_tables(tools, &taker).await {
            Ok(lease) => return Ok(lease),
            Err(Untaken::Refused(error)) => return Err(error),
            Err(Untaken::Held(_, held)) => held,
        };
        if Instant::now() + pause > until {
            return Err(held.at("waited", format!("{} s", wait.as_secs())));
        }
        publisher.stop.run_until_cancelled(sleep(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Err(stopped(context.period))
}

/// The error of a publication that was asked to stop. A load that had begun was brought to its end.
pub(super) fn stopped(period: Period) -> PortError {
    let what = format!("the publication of {period} was asked to stop before all of it was loaded");
    PortError::new(PortErrorKind::Limit, what).hint(format!(
        "what is sealed stands; `soxauto reconcile --period {period} --publish --staging URL` publishes it"
    ))
}

/// Gives the place back, whatever came of it: what may still be loading is ended or awaited by whoever comes next.
pub(super) async fn leave(publisher: Publisher<'_>, lease: Lease, status: ItemStatus) {
    if let Err(error) = lease.end(publisher.clock, status).await {
        tracing::warn!(%error, "the lease of the tables was not given back; it expires by itself");
    }
}

/// Writes down beside the lease which job is submitted.
pub(super) struct Noted<'a> {
    pub(super) lease: &'a mut Lease,
    /// A load whose end is not known.
    pub(super) submitted: Option<Submitted>,
}

#[async_trait]
impl LoadListener for Noted<'_> {
    async fn begins(&mut self, load: Submitted) -> Result<(), PortError> {
        self.lease.note_load(Some(&load)).await?;
        self.submitted = Some(load);
        Ok(())
    }

    async fn replaced_nothing(&mut self) {
        self.submitted = None;
        // What stands there then says too much, and only if this publication dies before it gives its place back.
        if let Err(error) = self.lease.note_load(None).await {
            tracing::warn!(%error, "the end of a load could not be noted");
        }
    }
}

impl Noted<'_> {
    /// Says with the error of a load what it leaves open, and how to look.
    pub(super) fn left_open(&self, error: PortError) -> PortError {
        let error = left_open(error, self.submitted.as_ref());
        match &self.submitted {
            Some(load) => error.hint(format!(
                "look with `{}`; publish again: the next publication ends or awaits that job before it loads",
                load.look
            )),
            None => error,
        }
    }
}
