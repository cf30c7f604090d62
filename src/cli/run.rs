//! `soxauto run`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::alerts::Alerts;
use crate::domain::check::Acceptance;
use crate::domain::limits::ServerLimits;
use crate::domain::shard::Shard;
use crate::pipeline::alert::Alert;
use crate::pipeline::workflow::WorkflowResult;
use crate::settings::RunSettings;

use super::args::RunArgs;
use super::{output, stopped};

/// Runs a month and prints what it did.
pub(super) async fn run(args: RunArgs) -> anyhow::Result<u8> {
    let json = args.json;
    let is_logged = args.work.is_on_cloud_run();
    let (settings, shard) = settings(args)?;
    let progress = Arc::new(output::ProgressLines::new());
    let listener = Arc::<output::ProgressLines>::clone(&progress);
    let alerts = Alerts::new(&settings, &ServerLimits::default())?;
    let period = settings.period;
    let is_whole = settings.items.is_empty() && shard.is_whole();
    let app = match App::build(settings, listener).await {
        Ok(app) => app,
        Err(error) => {
            if !error.is_of_request() {
                let alert = Alert::without_result(None, period, "a run could not begin");
                raise(&alerts, &alert).await;
            }
            return Err(error.into());
        }
    };
    if is_whole && let Err(why) = out_of_the_way(&app).await {
        let alert = Alert::without_result(
            None,
            Some(app.context().period),
            "the month was not begun: the log says why",
        );
        app.close().await;
        raise(&alerts, &alert).await;
        return Err(why);
    }
    if app.items().next().is_none() {
        output::tell(&format!(
            "{shard} has nothing to do: the other tasks have all items"
        ));
        app.close().await;
        return Ok(0);
    }
    output::tell(&output::opening(app.context()));
    for id in app.left_out() {
        output::tell(&format!(
            "{id} is no part of this run: it is read from a file, and none was said (--file {id}=PATH)"
        ));
    }
    let _signals = stopping(app.stop());
    let (run_id, period) = (app.context().run_id.clone(), app.context().period);
    let result = match app.run().await {
        Ok(result) => result,
        Err(error) => {
            let alert = Alert::without_result(Some(run_id), Some(period), "the run was lost");
            raise(&alerts, &alert).await;
            return Err(error.into());
        }
    };
    progress.close();
    // On Cloud Run what is printed is a log, and rows belong into no log.
    let printed = match is_logged {
        true => print(&result.without_words(), json),
        false => print(&result, json),
    };
    not_judged(shard, &result);
    undelivered(&result);
    if let Some(alert) = Alert::of(&result) {
        raise(&alerts, &alert).await;
    }
    printed?;
    Ok(result.exit_code())
}

fn settings(args: RunArgs) -> anyhow::Result<(RunSettings, Shard)> {
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
        json: _,
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
        ..RunSettings::try_from(work)?
    };
    Ok((settings, shard))
}

/// Refuses to run a whole month beside another run: each would take items from under the other, and neither would have all.
async fn out_of_the_way(app: &App) -> anyhow::Result<()> {
    let period = app.context().period;
    let Some((item, holder)) = app.at_work().await?.into_iter().next() else {
        return Ok(());
    };
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC");
    anyhow::bail!(
        "run {} has been at work on {item} {period} since {}, and nothing was started\n  wait until it has ended; if it has died, \
         its lease expires at {}",
        holder.run_id,
        time(holder.since),
        time(holder.expires_at)
    )
}

/// Says how a month is judged whose items several tasks share.
fn not_judged(shard: Shard, result: &WorkflowResult) {
    if !shard.is_whole() {
        output::tell(&format!(
            "{shard} judges no month: when all tasks have ended, `soxauto reconcile --period {} --seal --publish --staging URL` does",
            result.period
        ));
    }
}

/// Hears the signals: the first asks the run to stop, the second ends the program.
fn stopping(stop: CancellationToken) -> JoinSet<()> {
    let mut signals = JoinSet::new();
    signals.spawn(async move {
        stopped().await;
        output::tell("stopping: items that are not being loaded end now, with a package");
        stop.cancel();
        stopped().await;
        output::complain("error: stopped at once; the next run of the month seals what is left");
        std::process::exit(i32::from(super::NOT_FOUND_OUT));
    });
    signals
}

fn print(result: &WorkflowResult, json: bool) -> anyhow::Result<()> {
    let text = if json {
        serde_json::to_string_pretty(result)?
    } else {
        output::run_table(result)
    };
    Ok(output::print(&text)?)
}

async fn raise(alerts: &Alerts, alert: &Alert) {
    Alerts::note(alert);
    alerts.deliver(alert).await;
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
