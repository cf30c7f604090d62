//! Looking at a job until it has ended: with growing pauses, a deadline, and patience for one that is not to be found yet.

use tokio::time::Instant;

use super::client::{Client, JobSaid};
use crate::ports::{PortError, PortErrorKind};

/// A job that was created, by us or another.
pub(super) async fn found(client: &Client, id: &str) -> Result<JobSaid, PortError> {
    for _ in 0..client.limits.missing_looks_max {
        if let Some(job) = client.job(id).await? {
            return Ok(job);
        }
        tokio::time::sleep(client.limits.poll_first).await;
    }
    let what = format!(
        "job {id} was created and is not to be found in {}",
        client.location
    );
    Err(PortError::new(PortErrorKind::Corrupt, what)
        .hint("check that dataset and jobs are in one location; run the item again"))
}

/// The job when it has ended, well or not.
pub(super) async fn ended(client: &Client, id: &str) -> Result<JobSaid, PortError> {
    let limits = &client.limits;
    let until = Instant::now() + limits.load_deadline;
    let mut pause = limits.poll_first;
    loop {
        let job = found(client, id).await?;
        if job.is_done() {
            return Ok(job);
        }
        if Instant::now() + pause > until {
            let what = format!(
                "job {id} has not ended within {} s",
                limits.load_deadline.as_secs()
            );
            return Err(PortError::new(PortErrorKind::Timeout, what)
                .hint("run the item again: the next run ends or awaits this job before it loads"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(limits.poll_max);
    }
}
