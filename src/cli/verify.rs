//! `soxauto verify`.

use serde_json::json;

use crate::app::{self, roots::RootOpener};
use crate::pipeline::package::{Outcome, VerifyReport};

use super::args::VerifyArgs;
use super::output;

/// Verifies a package and prints every inconsistency.
pub(super) async fn verify(args: VerifyArgs) -> anyhow::Result<u8> {
    let VerifyArgs {
        package,
        staging,
        manifest_sha256,
        google,
        json,
    } = args;
    let roots = RootOpener::new(&google.into()).await?;
    let (staging, manifest) = (staging.as_deref(), manifest_sha256.as_deref());
    let report = app::verify_with(&roots, &package, staging, manifest).await?;
    if json {
        let text = json!({"package": package, "outcome": report.outcome(), "report": report});
        output::print(&serde_json::to_string_pretty(&text)?)?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(report.outcome().exit_code())
}

fn text(report: &VerifyReport) -> String {
    let mut lines: Vec<String> = report
        .checked
        .iter()
        .map(|what| format!("checked  {what}"))
        .collect();
    lines.extend(report.not_run.iter().map(|what| format!("NOT RUN  {what}")));
    for finding in &report.findings {
        lines.push(format!(
            "FINDING  {}: {}; expected {}, found {}",
            finding.place, finding.what, finding.expected, finding.actual
        ));
    }
    lines.push(String::new());
    lines.push(match report.outcome() {
        Outcome::Valid => "VALID: every file, every part and every number agrees".to_owned(),
        Outcome::Findings => format!("FINDINGS: {} inconsistencies", report.findings.len()),
        Outcome::NotConcluded => format!(
            "NOT CONCLUDED: {} things could not be looked at, {} inconsistencies",
            report.not_run.len(),
            report.findings.len()
        ),
    });
    lines.join("\n")
}
