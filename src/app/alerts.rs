//! Alerts: a line in the log, and a message to a webhook where one is named.
//!
//! May use everything below. Whether anybody hears of it changes nothing of what a run came to. Never prints the
//! webhook's URL, which is a secret, nor anything of its replies.

use std::sync::Arc;

use serde_json::json;
use url::Url;

use crate::adapters::google::endpoints::may_carry_tokens;
use crate::adapters::google::failure::Failure;
use crate::adapters::google::http::{Call, Http, Method};
use crate::domain::limits::{HttpLimits, Limits, ServerLimits};
use crate::pipeline::alert::{Alert, Urgency};
use crate::ports::{PortError, PortErrorKind};
use crate::settings::{GoogleSettings, RunSettings, SecretsChoice, is_secret_name};

use super::google::Google;
use super::sources;

/// Who is told of what somebody must hear of.
#[derive(Clone)]
pub struct Alerts(Option<Arc<Webhook>>);

/// A chat that takes messages.
struct Webhook {
    /// Name of the secret that holds its URL.
    secret: String,
    secrets: SecretsChoice,
    google: GoogleSettings,
    run_limits: Limits,
    limits: ServerLimits,
}

impl Alerts {
    /// Alerts of runs with these settings; asks nobody yet.
    ///
    /// # Errors
    /// `Config` for what cannot be the name of a secret, such as the URL itself; it is not repeated.
    pub fn new(run: &RunSettings, limits: &ServerLimits) -> Result<Self, PortError> {
        let Some(secret) = run.alert_webhook.clone() else {
            return Ok(Self(None));
        };
        if !is_secret_name(&secret) {
            let what = "--alert-webhook wants the name of the secret that holds the URL, not the URL itself";
            return Err(PortError::new(PortErrorKind::Config, what)
                .hint("put the URL into the place of --secrets and write its name, such as ALERT_WEBHOOK_URL"));
        }
        Ok(Self(Some(Arc::new(Webhook {
            secret,
            secrets: run.source.secrets.clone(),
            google: run.google.clone(),
            run_limits: run.limits.clone(),
            limits: limits.clone(),
        }))))
    }

    /// Whether there is a webhook.
    #[must_use]
    pub fn have_webhook(&self) -> bool {
        self.0.is_some()
    }

    /// Looks whether the secret of the webhook holds a URL; sends nothing.
    ///
    /// # Errors
    /// What reading it says; `Config` for what is no URL that may hold a secret.
    pub async fn look(&self) -> Result<(), PortError> {
        match &self.0 {
            Some(webhook) => webhook.url().await.map(drop),
            None => Ok(()),
        }
    }

    /// Writes the line that the alert policies look for.
    pub fn note(alert: &Alert) {
        let control_result = alert.control_result.word();
        let ipe = (!alert.ipes.is_empty()).then(|| alert.ipes.join(","));
        let ipe = ipe.as_deref();
        let period = alert.period.map(|period| period.to_string());
        let (period, run_id) = (
            period.as_deref(),
            alert.run_id.as_ref().map(|run| run.as_str()),
        );
        let (message, what) = (alert.headline(), alert.lines.join("; "));
        match alert.urgency {
            Urgency::Failure => {
                tracing::error!(
                    alert = true,
                    control_result,
                    ipe,
                    period,
                    run_id,
                    what,
                    "{message}"
                );
            }
            Urgency::Findings => {
                tracing::warn!(
                    alert = true,
                    control_result,
                    ipe,
                    period,
                    run_id,
                    what,
                    "{message}"
                );
            }
        }
    }

    /// Posts the message, a few times if need be. That it could not be is only logged.
    pub async fn deliver(&self, alert: &Alert) {
        let Some(webhook) = &self.0 else { return };
        let limit = webhook.limits.alert_timeout;
        let why = match tokio::time::timeout(limit, webhook.post(&alert.text())).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took more than {} s", limit.as_secs()),
        };
        tracing::error!(
            secret = webhook.secret,
            why,
            "the alert could not be delivered"
        );
    }
}

impl Webhook {
    async fn post(&self, text: &str) -> Result<(), PortError> {
        let url = self.url().await?;
        let http = Http::new(HttpLimits {
            silence_timeout: self.attempt_timeout(),
            attempt_timeout: self.attempt_timeout(),
            ..self.run_limits.http.clone()
        })?;
        // A message that is posted twice, because a reply was lost, is better than none.
        let call = Call::new("posting an alert", Method::POST, url)
            .repeatable()
            .attempts_max(self.limits.attempts_max)
            .json(&json!({"text": text}))?;
        http.send(&call, None).await.map(drop).map_err(unheard)
    }

    /// A slow attempt leaves time for another.
    fn attempt_timeout(&self) -> std::time::Duration {
        let attempts = self.limits.attempts_max.saturating_add(1);
        self.limits.alert_timeout / attempts
    }

    async fn url(&self) -> Result<Url, PortError> {
        let google = Google::new(&self.google, &self.secrets, &self.run_limits).await?;
        let secrets = sources::secrets(&self.secrets, &google)?;
        let hint = "write the URL of the webhook into this secret, in the place of --secrets (in the environment for the stand-in)";
        let value = secrets.get(&self.secret).await;
        let value = value.map_err(|error| error.hint(hint))?;
        let url = Url::parse(value.expose().trim()).ok();
        url.filter(may_carry_tokens).ok_or_else(|| {
            let what = format!(
                "secret {} holds no URL that begins with https:",
                self.secret
            );
            PortError::new(PortErrorKind::Config, what).hint(hint)
        })
    }
}

/// A failure without the words of the other side, who knows the URL.
fn unheard(failure: Failure) -> PortError {
    match failure {
        Failure::Refused(mut refusal) => {
            (refusal.reason, refusal.message) = (None, None);
            PortError::from(refusal)
                .hint("look whether the webhook is still there, and what its secret says")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::adapters::google::failure::Refusal;

    use super::*;

    #[test]
    fn the_words_of_the_other_side_are_not_repeated() {
        let refusal = Refusal {
            retry_after: None,
            what: "posting an alert".to_owned(),
            host: "chat.example".to_owned(),
            status: 404,
            reason: Some("/services/SENTINEL".to_owned()),
            message: Some("no hook /services/SENTINEL".to_owned()),
            needs: None,
            caller: None,
            attempts: 1,
        };
        let said = unheard(Failure::Refused(refusal)).to_string();
        assert!(said.contains("chat.example answered 404"), "{said}");
        assert!(!said.contains("SENTINEL"), "{said}");
    }
}
