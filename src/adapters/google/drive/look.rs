//! Whether a folder can be delivered into: looks at it, and puts nothing there.

use reqwest::Method;
use serde::Deserialize;

use super::{Drive, refused};
use crate::ports::{PortError, PortErrorKind};

/// What Drive calls a folder.
const FOLDER: &str = "application/vnd.google-apps.folder";

/// What is asked for of a folder.
const FIELDS: &str = "id,name,mimeType,driveId,trashed,capabilities(canAddChildren)";

/// A folder as Drive describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    name: String,
    mime_type: String,
    /// The shared drive that it lies in.
    drive_id: Option<String>,
    #[serde(default)]
    trashed: bool,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    #[serde(default)]
    can_add_children: bool,
}

impl Drive {
    /// Looks whether the folder is there, is one, lies in a shared drive and takes what is delivered; gives its name.
    ///
    /// # Errors
    /// `Config` for what is no folder of a shared drive; `Denied` without the right to add to it; `Unreachable`.
    pub async fn look(&self) -> Result<String, PortError> {
        let path = ["drive", "v3", "files", self.folder.as_str()];
        let url = self.url(&path, &[("fields", FIELDS)])?;
        let what = format!("looking at folder {}", self.folder);
        let said: Said = self.ask(&self.call(what, Method::GET, url)).await?;
        let config = |what: String| PortError::new(PortErrorKind::Config, what);
        if said.mime_type != FOLDER {
            let what = format!("{} is no folder, but a {}", self.folder, said.mime_type);
            return Err(
                config(what).hint("name a folder with --drive-folder: the last part of its URL")
            );
        }
        if said.trashed {
            let what = format!("folder {} is in the bin", self.folder);
            return Err(config(what)
                .hint("take it out of the bin, or name another one with --drive-folder"));
        }
        if said.drive_id.is_none() {
            let what = format!("folder {} is not in a shared drive", self.folder);
            return Err(config(what).hint(refused::NO_STORAGE));
        }
        if !said.capabilities.can_add_children {
            let caller = self.session.tokens().identity().await;
            let what = format!("{caller} may not add files to folder {}", self.folder);
            return Err(PortError::new(PortErrorKind::Denied, what).hint(format!(
                "make {caller} a Contributor of the shared drive, or of folder {}",
                self.folder
            )));
        }
        Ok(said.name)
    }
}
