//! The identity at Google that a run calls with, from its settings. Made when it is first needed; asked even later.

use std::sync::{Arc, OnceLock};

use crate::adapters::google::Session;
use crate::adapters::google::drive;
use crate::adapters::google::endpoints::{Endpoints, is_googles};
use crate::adapters::google::http::Http;
use crate::adapters::google::metadata::Metadata;
use crate::adapters::google::secrets::GcpSecrets;
use crate::adapters::google::token::{CLOUD_SCOPE, CachedTokens, Caller, Origin};
use crate::adapters::secrets::{EnvSecrets, FileSecrets};
use crate::domain::limits::{HttpLimits, Limits};
use crate::ports::{PortError, PortErrorKind, Secret, Secrets as _};
use crate::settings::{GoogleCredentials, GoogleSettings, SecretsChoice};

use super::SystemClock;

/// What a token may be used for: the roles of the account are what limits it.
const SCOPES: [&str; 1] = [CLOUD_SCOPE];

/// Name of the secret that holds the key of a service account.
const KEY_SECRET: &str = "GOOGLE_SERVICE_ACCOUNT_CREDENTIALS";

/// The services that are asked elsewhere than at their own places, for the evidence.
pub(super) fn places(settings: &GoogleSettings) -> Vec<String> {
    let replaced = settings.endpoints.iter();
    replaced
        .map(|(name, url)| format!("{name}={url}"))
        .collect()
}

/// Whether one of them is asked at a place that is not Google's.
pub(super) fn is_elsewhere(settings: &GoogleSettings) -> bool {
    let mut replaced = settings.endpoints.iter();
    replaced.any(|(_, url)| !is_googles(url))
}

/// Who they are in words, for the evidence; `None` where nobody called.
pub(super) fn in_words(callers: &[Caller]) -> Option<String> {
    let words: Vec<&str> = callers.iter().map(|caller| caller.words.as_str()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A session that was asked for once and is kept.
type Kept = OnceLock<Result<Session, PortError>>;

/// The way to Google. A run that needs nothing of Google makes no client and reads no CA.
pub(super) struct Google {
    settings: GoogleSettings,
    limits: HttpLimits,
    /// The key out of the secret, if it lies in one.
    key: Option<Secret>,
    session: Kept,
    for_drive: Kept,
    of_machine: Kept,
}

impl Google {
    /// The way that the settings say; a key that lies in a secret is read from `secrets`.
    ///
    /// # Errors
    /// `Config` for a key in the secrets of the stand-in; what reading the secret says.
    pub(super) async fn new(
        settings: &GoogleSettings,
        secrets: &SecretsChoice,
        limits: &Limits,
    ) -> Result<Self, PortError> {
        let mut google = Self {
            settings: settings.clone(),
            limits: limits.http.clone(),
            key: None,
            session: Kept::new(),
            for_drive: Kept::new(),
            of_machine: Kept::new(),
        };
        if settings.credentials == GoogleCredentials::Secret {
            google.key = Some(google.key_in(secrets).await?);
        }
        Ok(google)
    }

    /// The session for everything but secrets.
    ///
    /// # Errors
    /// `Config` for a file of credentials that cannot be read or used, and for an endpoint that is refused.
    pub(super) fn session(&self) -> Result<Session, PortError> {
        self.session.get_or_init(|| self.make(&SCOPES)).clone()
    }

    /// The session for Drive, whose tokens are good for nothing else.
    ///
    /// # Errors
    /// As [`Google::session`].
    pub(super) fn session_for_drive(&self) -> Result<Session, PortError> {
        let kept = &self.for_drive;
        kept.get_or_init(|| self.make(&[drive::SCOPE])).clone()
    }

    /// The session that reads secrets: a key that lies among them cannot open them, so the machine does.
    ///
    /// # Errors
    /// As [`Google::session`].
    pub(super) fn session_for_secrets(&self) -> Result<Session, PortError> {
        match self.settings.credentials {
            GoogleCredentials::Secret => self.session_of_machine(),
            _ => self.session(),
        }
    }

    /// Who calls, in the sessions that were asked for; nobody where nothing of Google is used. The metadata server is asked
    /// who the machine is, and nobody else is asked.
    pub(super) async fn callers(&self) -> Vec<Caller> {
        let own = made(&self.session).or_else(|| made(&self.for_drive));
        let mut callers = Vec::new();
        for session in own.into_iter().chain(made(&self.of_machine)) {
            callers.push(session.tokens().caller().await);
        }
        callers
    }

    /// The session that opens the secret with the key.
    fn session_of_machine(&self) -> Result<Session, PortError> {
        let kept = &self.of_machine;
        kept.get_or_init(|| self.machine(&SCOPES)).clone()
    }

    async fn key_in(&self, secrets: &SecretsChoice) -> Result<Secret, PortError> {
        match secrets {
            SecretsChoice::Env => EnvSecrets.get(KEY_SECRET).await,
            SecretsChoice::File(dir) => FileSecrets::new(dir.clone()).get(KEY_SECRET).await,
            SecretsChoice::Gcp(place) => {
                let (project, pins) = (place.project.clone(), place.pins.clone());
                let session = self.session_of_machine()?;
                GcpSecrets::new(session, project, pins)
                    .get(KEY_SECRET)
                    .await
            }
            SecretsChoice::Sandbox => Err(PortError::new(
                PortErrorKind::Config,
                format!("the embedded sandbox keeps no secret {KEY_SECRET}"),
            )
            .hint("pass --google-credentials metadata or file:KEY.json")),
        }
    }

    fn make(&self, scopes: &[&str]) -> Result<Session, PortError> {
        match (&self.settings.credentials, &self.key) {
            (GoogleCredentials::File(file) | GoogleCredentials::Found(file), _) => {
                let shown = file.to_string_lossy();
                let text = std::fs::read_to_string(file).map_err(|io| {
                    let what = format!("the credentials cannot be read: {io}");
                    PortError::new(PortErrorKind::Config, what)
                        .at("file", shown.clone())
                        .hint("say who calls: --google-credentials metadata or file:KEY.json")
                })?;
                self.of_file(&Secret::new(text), scopes)
                    .map_err(|error| error.at("file", shown))
            }
            (_, Some(key)) => self
                .of_file(key, scopes)
                .map_err(|error| error.at("secret", KEY_SECRET)),
            _ => self.machine(scopes),
        }
    }

    fn of_file(&self, file: &Secret, scopes: &[&str]) -> Result<Session, PortError> {
        let endpoints = Endpoints::replaced(&self.settings.endpoints)?;
        let origin = Origin::read(file, scopes, &endpoints, Arc::new(SystemClock))?;
        self.of(endpoints, origin)
    }

    fn machine(&self, scopes: &[&str]) -> Result<Session, PortError> {
        let endpoints = Endpoints::replaced(&self.settings.endpoints)?;
        let server = Metadata::new(endpoints.metadata.clone(), scopes);
        self.of(endpoints, Origin::Metadata(server))
    }

    fn of(&self, endpoints: Endpoints, origin: Origin) -> Result<Session, PortError> {
        let http = Http::new(self.limits.clone())?;
        let tokens = CachedTokens::new(http.clone(), origin);
        Ok(Session::new(http, Arc::new(tokens), endpoints))
    }
}

/// A session that was asked for and could be made.
fn made(kept: &Kept) -> Option<&Session> {
    kept.get()?.as_ref().ok()
}
