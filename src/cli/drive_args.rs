//! Arguments that say where sealed packages are delivered to; the doc comments are the help text.

use clap::Args;

use crate::domain::ids::FolderId;
use crate::settings::DriveSettings;

use super::google_args::GoogleArgs;

/// Where packages of a run are delivered to.
#[derive(Debug, Args)]
pub(super) struct DriveArgs {
    /// Folder of Google Drive, by the last part of its URL, that summary and manifests of each sealed package are delivered
    /// to; a folder of a shared drive, because a service account has no storage of its own
    #[arg(long, env = "GOOGLE_DRIVE_FOLDER_ID", value_name = "ID")]
    drive_folder: Option<FolderId>,
    /// Deliver the whole package too, with its rows and what is personal in them, as one ZIP file
    #[arg(long, env = "SOXAUTO_INCLUDE_ROWS", requires = "drive_folder")]
    include_rows: bool,
}

impl From<DriveArgs> for Option<DriveSettings> {
    fn from(args: DriveArgs) -> Self {
        let DriveArgs {
            drive_folder,
            include_rows,
        } = args;
        drive_folder.map(|folder| DriveSettings {
            folder,
            include_rows,
        })
    }
}

const UPLOAD_EXAMPLES: &str = "\
Examples:
  soxauto upload PACKAGE --drive-folder 1AbC                   as `run` printed it
  soxauto upload PACKAGE --drive-folder 1AbC --include-rows    with the rows, as one ZIP file";

/// Deliver sealed packages to a folder of Google Drive; what is there already is not uploaded twice
#[derive(Debug, Args)]
#[command(after_help = UPLOAD_EXAMPLES)]
pub(super) struct UploadArgs {
    /// Folders or URLs of sealed packages
    #[arg(value_name = "PACKAGE", required = true)]
    pub(super) packages: Vec<String>,
    /// Folder of Google Drive, by the last part of its URL, that summary and manifests are delivered to
    #[arg(long, env = "GOOGLE_DRIVE_FOLDER_ID", value_name = "ID")]
    pub(super) drive_folder: FolderId,
    /// Deliver the whole package too, with its rows and what is personal in them, as one ZIP file
    #[arg(long, env = "SOXAUTO_INCLUDE_ROWS")]
    pub(super) include_rows: bool,
    /// Staging root that holds the parts, if not the one that the package names
    #[arg(long, env = "SOXAUTO_UPLOAD_STAGING", value_name = "URL")]
    pub(super) staging: Option<String>,
    #[command(flatten)]
    pub(super) google: GoogleArgs,
    /// Print what was delivered as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}
