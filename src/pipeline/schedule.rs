//! Runs items side by side, bounded; one that fails leaves the others alone.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::domain::ipe::Ipe;
use crate::domain::run::RunContext;

use super::{ItemOutcome, Tools, run_ipe};

/// Runs all items, at most `jobs` at once, started in the order of `items`, and gives their outcomes in the order of `items`.
///
/// # Errors
/// The message of a task that ended without an outcome (a bug, not a finding).
pub async fn run_items(
    tools: &Tools,
    context: &RunContext,
    items: &[Ipe],
    jobs: usize,
) -> Result<Vec<ItemOutcome>, tokio::task::JoinError> {
    let slots = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = JoinSet::new();
    for (index, ipe) in items.iter().enumerate() {
        let (tools, context, ipe) = (tools.clone(), context.clone(), ipe.clone());
        // Taken before the task begins, so that items start in their order. The semaphore is never closed; if it
        // were, running unbounded is still right.
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        // What anybody logs on the way says which item of which run and month it belongs to.
        let labels = tracing::error_span!("item", ipe = %ipe.id, run_id = %context.run_id, period = %context.period);
        let journey = async move {
            let outcome = run_ipe(&tools, &context, &ipe).await;
            drop(slot);
            (index, outcome)
        };
        tasks.spawn(journey.instrument(labels));
    }
    let mut outcomes = Vec::with_capacity(items.len());
    while let Some(joined) = tasks.join_next().await {
        outcomes.push(joined?);
    }
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}
