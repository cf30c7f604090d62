//! The files in buckets that items are read from: whether that of the month is there, and may be read.

use super::examination::{Examination, Good};
use super::places::NO_IDENTITY;
use crate::app::google::Google;
use crate::app::uploads;
use crate::ports::PortError;
use crate::settings::{RunSettings, UploadSettings};

/// Looks for each. One that nobody uploaded yet is no fault of the settings: most months it comes last.
pub(super) async fn check(at: &mut Examination<'_>, run: &RunSettings, google: Option<&Google>) {
    for file in uploads::in_buckets(&run.files) {
        let name = format!("file {}", file.item);
        let Some(google) = google else {
            at.skip(name, NO_IDENTITY);
            continue;
        };
        at.look(name, found(file, run, google)).await;
    }
}

async fn found(
    file: &UploadSettings,
    run: &RunSettings,
    google: &Google,
) -> Result<Good<()>, PortError> {
    let (uri, bytes) = uploads::look(file, run.period, google).await?;
    Ok(match bytes {
        Some(bytes) => Good::new(format!("{uri} has {bytes} bytes"), ()),
        None => {
            let todo = format!("upload it before the run: gcloud storage cp FILE {uri}");
            Good::new(format!("there is no {uri}"), ())
                .left_open()
                .better(Some(todo))
        }
    })
}
