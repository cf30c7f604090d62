//! Secret Manager: each secret is read once in a run, in one version, with its checksum proven.
//!
//! May use the session; never prints or keeps on disk what it reads.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::ports::{PortError, PortErrorKind, Secret, Secrets};

use super::Session;
use super::endpoints::below;
use super::failure::{Failure, Refusal};
use super::http::Call;

/// What the caller needs to read a secret.
const ROLE: &str = "roles/secretmanager.secretAccessor";

/// Secrets of one project.
pub struct GcpSecrets {
    session: Session,
    project: String,
    pins: BTreeMap<String, u64>,
    held: Mutex<BTreeMap<String, Held>>,
}

/// A secret that was read.
#[derive(Clone)]
struct Held {
    secret: Secret,
    version: u64,
}

/// Google's answer. It has no `Debug`: it holds the secret.
#[derive(Deserialize)]
struct Accessed {
    /// `projects/<number>/secrets/<name>/versions/<version>`.
    name: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    data: Option<String>,
    data_crc32c: Option<String>,
}

impl GcpSecrets {
    /// Secrets of a project: the versions of `pins`, of every other secret the latest.
    #[must_use]
    pub fn new(session: Session, project: String, pins: BTreeMap<String, u64>) -> Self {
        Self {
            session,
            project,
            pins,
            held: Mutex::default(),
        }
    }

    async fn access(&self, name: &str) -> Result<Held, PortError> {
        let pin = self.pins.get(name).copied();
        let version = pin.map_or_else(|| "latest".to_owned(), |pin| pin.to_string());
        let access = format!("{version}:access");
        let path = [
            "v1",
            "projects",
            &self.project,
            "secrets",
            name,
            "versions",
            &access,
        ];
        let url = below(&self.session.endpoints().secretmanager, &path)?;
        let what = format!(
            "reading secret {name} of project {}, version {version}",
            self.project
        );
        let call = Call::get(what, url).needs(format!("{ROLE} on secret {name}"));
        let accessed: Accessed = match self.session.send(&call).await {
            Ok(reply) => reply.document(&call)?,
            Err(failure) => return Err(self.failed(name, &version, failure)),
        };
        let version =
            resolved(&accessed.name, name).filter(|found| pin.is_none_or(|pin| pin == *found));
        let version = version
            .ok_or_else(|| self.corrupt(name, "the reply is about another secret or version"))?;
        let secret = self.proven(name, &accessed.payload)?;
        Ok(Held { secret, version })
    }

    /// The payload, if it has the checksum that came with it.
    fn proven(&self, name: &str, payload: &Payload) -> Result<Secret, PortError> {
        let data = payload.data.as_deref().unwrap_or_default();
        let bytes = STANDARD
            .decode(data)
            .map_err(|_| self.corrupt(name, "the payload is not base64"))?;
        let said = payload
            .data_crc32c
            .as_deref()
            .and_then(|text| text.parse::<u32>().ok());
        let said = said.ok_or_else(|| self.corrupt(name, "the payload came without a checksum"))?;
        if crc32c::crc32c(&bytes) != said {
            return Err(self.corrupt(
                name,
                "the payload does not have the CRC32C that came with it",
            ));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| self.corrupt(name, "the payload is no text"))?;
        // A secret that was made from a file ends as the file does.
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    fn failed(&self, name: &str, version: &str, failure: Failure) -> PortError {
        let (project, text) = (&self.project, "is destroyed or disabled");
        match failure {
            Failure::Refused(Refusal { status: 404, .. }) => PortError::new(
                PortErrorKind::Config,
                format!("there is no secret {name} in project {project}, or no version {version} of it"),
            )
            .hint(format!(
                "gcloud secrets create {name} --project={project} --data-file=FILE, where FILE holds the connection string"
            )),
            Failure::Refused(Refusal {
                status: 400,
                reason: Some(reason),
                ..
            }) if reason == "FAILED_PRECONDITION" => PortError::new(
                PortErrorKind::Config,
                format!("version {version} of secret {name} in project {project} {text}"),
            )
            .hint(format!(
                "enable it, or add one: gcloud secrets versions add {name} --project={project} --data-file=FILE"
            )),
            other => other.into(),
        }
    }

    fn corrupt(&self, name: &str, why: &str) -> PortError {
        let what = format!("secret {name} of project {}: {why}", self.project);
        PortError::new(PortErrorKind::Corrupt, what)
            .hint("run it again; if it stays, write a new version of the secret")
    }
}

/// The version in Google's name of what was read, if it is the secret that was asked for.
fn resolved(resource: &str, name: &str) -> Option<u64> {
    let (secret, version) = resource.rsplit_once("/versions/")?;
    let (_, found) = secret.rsplit_once("/secrets/")?;
    (found == name).then(|| version.parse().ok())?
}

#[async_trait]
impl Secrets for GcpSecrets {
    async fn get(&self, name: &str) -> Result<Secret, PortError> {
        let mut held = self.held.lock().await;
        if let Some(known) = held.get(name) {
            return Ok(known.secret.clone());
        }
        let read = self.access(name).await?;
        held.insert(name.to_owned(), read.clone());
        Ok(read.secret)
    }

    fn origin(&self) -> String {
        format!("gcp:{}", self.project)
    }

    async fn origin_of(&self, name: &str) -> String {
        let held = self.held.lock().await;
        let version = held.get(name).map(|known| known.version);
        version.map_or_else(
            || self.origin(),
            |version| format!("{}/secrets/{name}/versions/{version}", self.origin()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_that_was_asked_for_has_a_version() {
        assert_eq!(resolved("projects/12/secrets/DB/versions/7", "DB"), Some(7));
        for other in [
            "projects/12/secrets/DB2/versions/7",
            "projects/12/secrets/DB",
            "x/secrets/DB/versions/latest",
            "",
        ] {
            assert_eq!(resolved(other, "DB"), None, "{other}");
        }
    }
}
