//! `soxauto clean`.

use clap::Args;

use crate::app;
use crate::pipeline::clean::{CleanReport, OrphanKind};
use crate::settings::Roots;

use super::look_args::RootArgs;
use super::output;

const EXAMPLES: &str = "\
Examples:
  soxauto clean                                         what interrupted runs left below out/, why and how much
  soxauto clean --remove                                the same, and removes it
  soxauto clean --json | jq -r '.orphans[].uri'
  soxauto clean --staging /data/staging --warehouse /data/warehouse --evidence /data/evidence
  soxauto clean --staging gs://bucket/staging --evidence gs://other-bucket/evidence

Orphans are staged parts that no sealed package names, packages without a manifest, room that was set
aside, files that were being written, and warehouse runs that no month ever showed. What a run at
work has written, every part that a sealed package names (also of a failed run), every month that
was ever shown, and every lease stay as they are.

Exit codes: 0 nothing is left · 1 orphans are there, and were not removed · 2 something could not be
found out; that is left alone";

/// List what interrupted runs left behind, and remove it with --remove
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CleanArgs {
    /// Remove the orphans; without it they are only listed
    #[arg(long, env = "SOXAUTO_CLEAN_REMOVE")]
    remove: bool,
    #[command(flatten)]
    roots: RootArgs,
    /// Root of the leases, where the runs were given one [default: the evidence root]
    #[arg(long, env = "SOXAUTO_LEASES", value_name = "URL")]
    leases: Option<String>,
    /// Print the report as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    json: bool,
}

/// Lists or removes orphans.
pub(super) async fn clean(args: CleanArgs) -> anyhow::Result<u8> {
    let roots = Roots::from(args.roots);
    let report = app::clean::clean(&roots, args.leases.as_deref(), args.remove).await?;
    if args.json {
        output::print(&serde_json::to_string_pretty(&report)?)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(report.exit_code())
}

fn text(report: &CleanReport) -> String {
    let mut lines = Vec::new();
    for orphan in &report.orphans {
        let what = match orphan.kind {
            OrphanKind::Staged => "staged parts",
            OrphanKind::Reserve => "room set aside",
            OrphanKind::UnsealedPackage => "package without a manifest",
            OrphanKind::Temporary => "half-written file",
            OrphanKind::NeverShown => "warehouse run never shown",
        };
        let (files, bytes) = (orphan.files.len(), orphan.bytes);
        let uri = output::harmless(&orphan.uri);
        lines.push(format!(
            "orphan   {uri}\n         {what}, files {files}, bytes {bytes}: {}",
            orphan.why
        ));
    }
    let told = |mark: &str, what: &String| format!("{mark} {}", output::harmless(what));
    lines.extend(report.at_work.iter().map(|what| told("at work ", what)));
    lines.extend(
        report
            .not_found_out
            .iter()
            .map(|what| told("NOT FOUND OUT ", what)),
    );
    let bytes: u64 = report.orphans.iter().map(|orphan| orphan.bytes).sum();
    let (count, open) = (report.orphans.len(), report.not_found_out.len());
    lines.push(match (count, report.removed) {
        (0, _) => "no orphans".to_owned(),
        (_, false) => {
            format!("{count} orphans, {bytes} bytes; `soxauto clean --remove` removes them")
        }
        (_, true) if open == 0 => format!("{count} orphans, {bytes} bytes removed"),
        (_, true) => format!("{count} orphans, {bytes} bytes; removed but for what is said above"),
    });
    lines.join("\n")
}
