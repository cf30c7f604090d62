//! What BigQuery says of a job or a call that failed, as an error of ours.
//!
//! Its messages may quote values of rows: what stands in quotes or behind `value:` is taken out.

use gcp_bigquery_client::model::error_proto::ErrorProto;

use crate::adapters::google::failure::{Failure, Refusal};
use crate::ports::{PortError, PortErrorKind, unquoted};

/// Who may run jobs.
pub(super) const JOB_USER: &str = "roles/bigquery.jobUser on the project";
/// Who may make and load tables.
pub(super) const DATA_EDITOR: &str = "roles/bigquery.dataEditor on the dataset";
/// Who may make a dataset that is not there.
pub(super) const USER: &str = "roles/bigquery.user on the project";

/// Marks behind which a message quotes a value.
const VALUE_MARKS: [&str; 3] = ["value: ", "Value: ", "got: "];

/// How a message says that files and table are in two locations; its reason says only that the job is invalid.
const APART: &str = "in different locations";

/// Reasons after which the same job may succeed.
const TRANSIENT: [&str; 6] = [
    "backendError",
    "internalError",
    "jobBackendError",
    "jobInternalError",
    "rateLimitExceeded",
    "jobRateLimitExceeded",
];

/// Whether a job that failed so may succeed when it is tried again.
pub(super) fn is_transient(error: &ErrorProto) -> bool {
    error
        .reason
        .as_deref()
        .is_some_and(|reason| TRANSIENT.contains(&reason))
}

/// Whether a job ended because somebody cancelled it.
pub(super) fn is_cancelled(error: &ErrorProto) -> bool {
    error.reason.as_deref() == Some("stopped")
}

/// The error of a job or an answer; `what` says what it was for.
pub(super) fn of_job(what: &str, error: &ErrorProto) -> PortError {
    let reason = error.reason.as_deref().unwrap_or("no reason");
    let message = masked(error.message.as_deref().unwrap_or_default());
    let is_apart = message.contains(APART);
    let kind = match reason {
        _ if is_transient(error) => PortErrorKind::Unreachable,
        _ if is_apart => PortErrorKind::Config,
        "accessDenied" | "stopped" => PortErrorKind::Denied,
        "notFound" => PortErrorKind::Config,
        "quotaExceeded" | "resourcesExceeded" | "billingTierLimitExceeded" => PortErrorKind::Limit,
        "timeout" => PortErrorKind::Timeout,
        _ => PortErrorKind::Query,
    };
    let text = format!("{what}: the job failed with {reason}: {message}");
    let said = PortError::new(kind, text.trim_end_matches(": ").to_owned());
    let mut said = match reason {
        _ if is_apart => said.hint(
            "files are loaded where the dataset is: name a staging bucket in its location, or another dataset",
        ),
        "accessDenied" => said.hint(format!(
            "grant {JOB_USER}, {DATA_EDITOR}, and roles/storage.objectViewer on the staging bucket"
        )),
        "notFound" => said.hint("check that dataset, bucket and job are in one location, and that nobody deletes staged parts"),
        "quotaExceeded" => said.hint("look at the quotas of BigQuery in the project, and run the item again"),
        _ => said,
    };
    said.is_retryable = is_transient(error);
    said
}

/// The error of a call, without the values that its message may quote.
pub(super) fn of_call(failure: Failure) -> PortError {
    match failure {
        Failure::Refused(refusal) => Refusal {
            message: refusal.message.as_deref().map(masked),
            ..refusal
        }
        .into(),
        other => other.into(),
    }
}

/// The text with what it quotes taken out.
pub(super) fn masked(message: &str) -> String {
    let cut = VALUE_MARKS
        .iter()
        .filter_map(|mark| message.find(mark).map(|at| at + mark.len()))
        .min();
    match cut.and_then(|at| message.get(..at)) {
        Some(head) => unquoted(&format!("{head}…")),
        None => unquoted(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(reason: &str, message: &str) -> ErrorProto {
        ErrorProto {
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            ..ErrorProto::default()
        }
    }

    #[test]
    fn values_are_taken_out_of_messages() {
        assert_eq!(
            masked("Could not parse 'O'SENTINEL' as INT64, got: SENTINEL"),
            "Could not parse '…' as INT64, got: …"
        );
        assert_eq!(
            masked("Invalid NUMERIC value: SENTINEL at x"),
            "Invalid NUMERIC value: …"
        );
        assert_eq!(masked("Not found: Table p:d.t"), "Not found: Table p:d.t");
    }

    #[test]
    fn a_failed_job_says_what_to_do() {
        let denied = of_job("loading x", &error("accessDenied", "no"));
        assert_eq!(denied.kind, PortErrorKind::Denied);
        assert!(
            denied.to_string().contains("roles/storage.objectViewer"),
            "{denied}"
        );
        let later = of_job("loading x", &error("backendError", ""));
        assert!(later.is_retryable && later.kind == PortErrorKind::Unreachable);
        assert_eq!(later.message, "loading x: the job failed with backendError");
        let invalid = of_job("loading x", &error("invalid", "bad 'SENTINEL'"));
        assert_eq!(
            (invalid.kind, invalid.is_retryable),
            (PortErrorKind::Query, false)
        );
        assert!(!invalid.to_string().contains("SENTINEL"), "{invalid}");
        assert!(is_cancelled(&error("stopped", "")) && !is_cancelled(&error("invalid", "")));
    }
}
