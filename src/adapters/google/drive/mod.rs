//! Drive: evidence delivered into one folder, each file once, by name and bytes (ADR-0036).
//!
//! May use the session. Never overwrites, moves or deletes; what it did not put there it cannot even see, because its
//! tokens are for its own files only. Never prints or keeps on disk where an upload continues: whoever knows that place
//! may write there.

mod content;
mod look;
mod refused;
mod upload;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::domain::ids::FolderId;
use crate::domain::limits::DriveLimits;
use crate::ports::{Delivered, EvidenceSink, Outgoing, PortError, PortErrorKind};

use super::Session;
use super::endpoints::below;
use super::failure::Failure;
use super::http::Call;

use content::Sum;
use upload::{End, Upload};

/// What tokens for Drive are good for: the files that this program made.
pub const SCOPE: &str = "https://www.googleapis.com/auth/drive.file";

/// What is asked for of a file.
const FILE_FIELDS: &str = "id,name,size,md5Checksum,sha256Checksum,webViewLink";

/// One folder of Drive.
pub struct Drive {
    session: Session,
    folder: FolderId,
    limits: DriveLimits,
}

/// A file as Drive describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DriveFile {
    id: String,
    size: Option<String>,
    md5_checksum: Option<String>,
    sha256_checksum: Option<String>,
    web_view_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    #[serde(default)]
    files: Vec<DriveFile>,
    next_page_token: Option<String>,
    #[serde(default)]
    incomplete_search: bool,
}

#[derive(Deserialize)]
struct NewIds {
    ids: Vec<String>,
}

impl DriveFile {
    fn is(&self, sum: &Sum) -> bool {
        let same_sha256 = self.sha256_checksum.as_ref();
        self.md5_checksum.as_ref() == Some(&sum.md5)
            && self.size.as_deref() == Some(sum.bytes.to_string().as_str())
            && same_sha256.is_none_or(|sha256| *sha256 == sum.sha256)
    }

    fn delivered(self, name: &str, sum: Sum, was_there: bool) -> Delivered {
        Delivered {
            name: name.to_owned(),
            id: self.id,
            link: self.web_view_link,
            bytes: sum.bytes,
            md5: sum.md5,
            sha256: sum.sha256,
            was_there,
        }
    }
}

impl Drive {
    /// Files go into `folder`; nothing is asked yet.
    #[must_use]
    pub fn new(session: Session, folder: FolderId, limits: DriveLimits) -> Self {
        Self {
            session,
            folder,
            limits,
        }
    }

    fn url(&self, path: &[&str], pairs: &[(&str, &str)]) -> Result<Url, PortError> {
        let mut url = below(&self.session.endpoints().drive, path)?;
        url.query_pairs_mut()
            .extend_pairs(pairs)
            .append_pair("supportsAllDrives", "true");
        Ok(url)
    }

    fn call(&self, what: String, method: Method, url: Url) -> Call {
        let role = format!("the role Contributor on folder {}", self.folder);
        Call::new(what, method, url).needs(role).repeatable()
    }

    async fn failed(&self, failure: Failure) -> PortError {
        let caller = self.session.tokens().identity().await;
        refused::failed(&self.folder, &caller, failure)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, PortError> {
        match self.session.send(call).await {
            Ok(reply) => reply.document(call),
            Err(failure) => Err(self.failed(failure).await),
        }
    }

    /// Every file of this name in the folder that is not in the bin.
    async fn named(&self, name: &str) -> Result<Vec<DriveFile>, PortError> {
        let asked = format!(
            "name = '{}' and '{}' in parents and trashed = false",
            quoted(name),
            self.folder
        );
        let fields = format!("nextPageToken,incompleteSearch,files({FILE_FIELDS})");
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..self.limits.list_pages_max {
            let mut pairs = vec![
                ("q", asked.as_str()),
                ("fields", &fields),
                ("includeItemsFromAllDrives", "true"),
            ];
            pairs.extend(token.as_deref().map(|token| ("pageToken", token)));
            let url = self.url(&["drive", "v3", "files"], &pairs)?;
            let what = format!("looking for {name} in folder {}", self.folder);
            let page: Listing = self.ask(&self.call(what, Method::GET, url)).await?;
            if page.incomplete_search {
                return Err(self.unclear("Drive did not look everywhere", name));
            }
            found.extend(page.files);
            token = page.next_page_token;
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(self.unclear("the list does not end", name))
    }

    fn unclear(&self, why: &str, name: &str) -> PortError {
        let what = format!("whether {name} is in folder {}: {why}", self.folder);
        PortError::new(PortErrorKind::Limit, what)
            .hint("deliver it again; if it stays, name a folder of its own for the evidence")
    }

    /// The file of that name, if there is one, and only if it is what is to be delivered.
    async fn there(&self, name: &str, sum: &Sum) -> Result<Option<DriveFile>, PortError> {
        let mut found = self.named(name).await?;
        match (found.pop(), found.len()) {
            (None, _) => Ok(None),
            (Some(one), 0) if one.is(sum) => Ok(Some(one)),
            (Some(one), 0) => Err(refused::other_bytes(&self.folder, name, &one, sum)),
            (Some(one), _) => {
                found.push(one);
                Err(refused::several(&self.folder, name, &found, sum))
            }
        }
    }

    /// A name of Google's for the new file: an upload that is begun again under it cannot make a second one.
    async fn new_id(&self) -> Result<String, PortError> {
        let path = ["drive", "v3", "files", "generateIds"];
        let mut url = below(&self.session.endpoints().drive, &path)?;
        url.query_pairs_mut()
            .append_pair("count", "1")
            .append_pair("space", "drive");
        let what = "asking Drive for the id of a new file".to_owned();
        let ids: NewIds = self.ask(&self.call(what, Method::GET, url)).await?;
        ids.ids.into_iter().next().ok_or_else(|| {
            PortError::new(PortErrorKind::Corrupt, "Drive gave no id for a new file")
                .hint("deliver it again")
        })
    }

    /// The file of that id, which an earlier session made.
    async fn of_id(&self, id: &str) -> Result<DriveFile, PortError> {
        let url = self.url(&["drive", "v3", "files", id], &[("fields", FILE_FIELDS)])?;
        let what = format!("looking at file {id} in folder {}", self.folder);
        self.ask(&self.call(what, Method::GET, url)).await
    }

    /// Begins a session; gives where it continues.
    async fn begin(
        &self,
        file: &Outgoing<'_>,
        sum: &Sum,
        id: &str,
    ) -> Result<Option<Url>, PortError> {
        let pairs = [("uploadType", "resumable"), ("fields", FILE_FIELDS)];
        let url = self.url(&["upload", "drive", "v3", "files"], &pairs)?;
        let what = format!("uploading {} to folder {}", file.name, self.folder);
        // Several sessions of one id end in one file.
        let call = self.call(what, Method::POST, url.clone()).json(&json!({
            "id": id,
            "name": file.name,
            "parents": [self.folder.as_str()],
            "mimeType": file.media_type,
            "appProperties": {"run": file.run, "sha256": sum.sha256},
        }))?;
        let call = upload::announced(call, file.media_type, sum.bytes);
        match self.session.send(&call).await {
            Ok(reply) => upload::place(&reply, &url).map(Some),
            Err(failure) if failure.is(409) => Ok(None),
            Err(failure) => Err(self.failed(failure).await),
        }
    }

    /// Uploads; a session that the service forgot is begun again under the same id.
    async fn upload(&self, file: &Outgoing<'_>, sum: &Sum) -> Result<DriveFile, PortError> {
        let id = self.new_id().await?;
        for _ in 0..self.limits.sessions_max {
            let Some(place) = self.begin(file, sum, &id).await? else {
                return self.of_id(&id).await;
            };
            let upload = Upload {
                session: &self.session,
                limits: &self.limits,
                what: format!("uploading {} to folder {}", file.name, self.folder),
                place,
                bytes: sum.bytes,
            };
            let end = upload.send(file.content).await;
            match end.map_err(|error| error.at("folder", self.folder.to_string()))? {
                End::File(made) => return Ok(made),
                End::Refused(failure) => return Err(self.failed(failure).await),
                End::Made => return self.of_id(&id).await,
                End::Forgotten => tracing::info!(file.name, "the upload begins anew"),
            }
        }
        let what = format!(
            "uploading {}: Drive forgot {} uploads of it",
            file.name, self.limits.sessions_max
        );
        Err(PortError::new(PortErrorKind::Unreachable, what).hint("deliver it again later"))
    }

    /// Looks until the folder shows the file: another one of its name is seen only then.
    async fn shown(&self, name: &str, made: &DriveFile, sum: &Sum) -> Result<(), PortError> {
        for look in 1..=self.limits.looks_max {
            match self.there(name, sum).await? {
                Some(found) if found.id == made.id => return Ok(()),
                // The other one was there first, and the folder does not show ours yet.
                Some(_) | None => {
                    let pause = self.session.pause(look, None);
                    tokio::time::sleep(pause.unwrap_or_default()).await;
                }
            }
        }
        Err(self.unseen(name).at("id", made.id.clone()))
    }

    fn unseen(&self, name: &str) -> PortError {
        let what = format!(
            "{name} was uploaded, and folder {} does not show it alone",
            self.folder
        );
        PortError::new(PortErrorKind::Timeout, what)
            .hint("deliver it again in a while: what is there already is not uploaded twice")
    }
}

#[async_trait]
impl EvidenceSink for Drive {
    async fn deliver(&self, file: &Outgoing<'_>) -> Result<Delivered, PortError> {
        let sum = content::measured(file.content).await?;
        if let Some(there) = self.there(&file.name, &sum).await? {
            return Ok(there.delivered(&file.name, sum, true));
        }
        let made = self.upload(file, &sum).await?;
        if !made.is(&sum) {
            return Err(refused::other_bytes(&self.folder, &file.name, &made, &sum));
        }
        self.shown(&file.name, &made, &sum).await?;
        Ok(made.delivered(&file.name, sum, false))
    }

    fn location(&self) -> String {
        format!("folder {} of Drive", self.folder)
    }
}

/// A text within the quotes of a question to Drive.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(quoted("a'b\\"), "a\\'b\\\\");
    }

    #[test]
    fn a_file_is_the_same_when_size_and_every_known_sum_are() {
        let sum = Sum {
            bytes: 3,
            md5: "m".into(),
            sha256: "s".into(),
        };
        let good = DriveFile {
            id: "1".into(),
            size: Some("3".into()),
            md5_checksum: Some("m".into()),
            sha256_checksum: None,
            web_view_link: None,
        };
        assert!(good.is(&sum));
        let mut other = good.clone();
        other.sha256_checksum = Some("x".into());
        assert!(!other.is(&sum));
        other.sha256_checksum = Some("s".into());
        assert!(other.is(&sum));
        for (size, md5) in [(Some("4"), Some("m")), (None, Some("m")), (Some("3"), None)] {
            let other = DriveFile {
                size: size.map(str::to_owned),
                md5_checksum: md5.map(str::to_owned),
                ..good.clone()
            };
            assert!(!other.is(&sum), "{size:?} {md5:?}");
        }
    }
}
