//! `soxauto run`.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::check::Acceptance;
use crate::domain::shard::Shard;
use crate::pipeline::workflow::WorkflowResult;
use crate::settings::RunSettings;

use super::args::RunArgs;
use super::{output, stopped};

/// Runs a month and prints what it did.
pub(super) async fn run(args: RunArgs) -> anyhow::Result<u8> {
    let RunArgs {
        period,
        cutoff_date,
        preliminary,
        accepted,
        reason,
        approver,
        witnesses,
        items,
        work,
        task_index,
        task_count,
        json,
    } = args;
    let shard = Shard::new(task_index, task_count).map_err(anyhow::Error::msg)?;
    let accept = |check| Acceptance {
        check,
        reason: reason.clone().unwrap_or_default(),
        approver: approver.clone().unwrap_or_default(),
    };
    let settings = RunSettings {
        period: period.or(cutoff_date),
        preliminary,
        accepted: accepted.into_iter().map(accept).collect(),
        witnesses,
        items,
        shard: Some(shard),
        ..work.into()
    };
    let progress = Arc::new(output::ProgressLines::new());
    let listener = Arc::<output::ProgressLines>::clone(&progress);
    let app = App::build(settings, listener).await?;
    if app.items().next().is_none() {
        output::tell(&format!(
            "{shard} has nothing to do: the other tasks have all items"
        ));
        app.close().await;
        return Ok(0);
    }
    output::tell(&output::opening(app.context()));
    let stop = app.stop();
    let mut signals = JoinSet::new();
    signals.spawn(async move {
        stopped().await;
        output::tell("stopping: items that are not being loaded end now, with a package");
        stop.cancel();
        stopped().await;
        output::complain("error: stopped at once; the next run of the month seals what is left");
        std::process::exit(i32::from(super::NOT_FOUND_OUT));
    });
    let result = app.run().await?;
    progress.close();
    if json {
        output::print(&serde_json::to_string_pretty(&result)?)?;
    } else {
        output::print(&output::run_table(&result))?;
    }
    undelivered(&result);
    Ok(result.control_result.exit_code())
}

/// Says which packages are not where they were to be delivered, and how to repeat it. It changes no exit code.
fn undelivered(result: &WorkflowResult) {
    for (item, result) in &result.ipe_results {
        let report = result.delivery.as_ref();
        let failed = report.filter(|report| report.error.is_some());
        if let (Some(report), Some(package)) = (failed, &result.evidence) {
            output::complain(&format!(
                "error: the package of {item} is sealed and not all of it is in {}; again: soxauto upload {package}",
                report.place
            ));
        }
    }
}
