//! `soxauto upload`.

use serde_json::json;

use crate::app::delivery;
use crate::app::roots::RootOpener;
use crate::pipeline::deliver::DeliveryReport;
use crate::settings::DriveSettings;

use super::drive_args::UploadArgs;
use super::output;

/// Delivers packages and prints what is there now; one that cannot be delivered leaves the others alone.
pub(super) async fn upload(args: UploadArgs) -> anyhow::Result<u8> {
    let UploadArgs {
        packages,
        drive_folder,
        include_rows,
        staging,
        google,
        json,
    } = args;
    let roots = RootOpener::new(&google.into()).await?;
    let drive = DriveSettings {
        folder: drive_folder,
        include_rows,
    };
    let (mut reports, mut lines, mut all) = (Vec::new(), Vec::new(), true);
    for package in &packages {
        let report = delivery::upload(&roots, &drive, package, staging.as_deref()).await?;
        all &= report.error.is_none();
        lines.push(format!("{package}{}", text(&report)));
        reports.push(json!({"package": package, "delivery": report}));
    }
    if json {
        output::print(&serde_json::to_string_pretty(&reports)?)?;
    } else {
        output::print(&lines.join("\n"))?;
    }
    Ok(if all { 0 } else { super::NOT_FOUND_OUT })
}

/// The files that are there, and why not all are.
pub(super) fn text(report: &DeliveryReport) -> String {
    let mut text = format!("\n  {} files in {}", report.files.len(), report.place);
    for file in &report.files {
        let there = if file.was_there {
            "was there"
        } else {
            "uploaded "
        };
        let link = file.link.as_ref().unwrap_or(&file.id);
        text.push_str(&format!(
            "\n  {there}  {}  MD5 {}  {}",
            file.name,
            file.md5,
            output::harmless(link)
        ));
    }
    if let Some(error) = &report.error {
        let error = error.replace('\n', "\n  ");
        text.push_str(&format!("\n  NOT DELIVERED: {error}"));
    }
    text
}
