//! What a refusal of Cloud Storage means to a store's caller; our own error travels inside.
//!
//! May use `failure`; knows which of Google's reasons are not what their status says.

use object_store::Error;

use crate::ports::{PortError, PortErrorKind};

use super::super::failure::{Failure, Refusal};

/// Reasons of a 403 that no role changes: something keeps the object from being deleted.
const KEPT: [&str; 4] = [
    "RetentionPolicyNotMet",
    "retentionPolicyNotMet",
    "ObjectUnderActiveHold",
    "objectUnderActiveHold",
];

/// An error of ours as the store's.
pub(super) fn ours(error: PortError) -> Error {
    Error::Generic {
        store: "gs",
        source: Box::new(error),
    }
}

/// A failed call about one object.
pub(super) fn failed(bucket: &str, at: &str, failure: Failure) -> Error {
    let (status, reason) = match &failure {
        Failure::Refused(Refusal { status, reason, .. }) => (*status, reason.clone()),
        _ => (0, None),
    };
    let reason = reason.unwrap_or_default();
    match (status, reason.as_str()) {
        (404, "NoSuchBucket") => return ours(no_bucket(bucket)),
        // A page of a gateway with status 404 says nothing of the object.
        (404, reason) if reason != "NoSuchKey" => return ours(gateway(failure.into())),
        _ => {}
    }
    let mut error = PortError::from(failure);
    if status == 403 && KEPT.contains(&reason.as_str()) {
        error = error.hint("the bucket keeps it until its retention or its hold ends");
    }
    let path = at.to_owned();
    match status {
        404 => Error::NotFound {
            path,
            source: Box::new(error),
        },
        412 => Error::AlreadyExists {
            path,
            source: Box::new(error),
        },
        _ if error.kind == PortErrorKind::Denied => Error::PermissionDenied {
            path,
            source: Box::new(error),
        },
        _ => ours(error),
    }
}

/// A failed list: what is not found is the bucket.
pub(super) fn list_failed(bucket: &str, failure: Failure) -> Error {
    let reason = match &failure {
        Failure::Refused(refusal) => refusal.reason.as_deref(),
        _ => None,
    };
    if failure.is(404) && reason == Some("notFound") {
        return ours(no_bucket(bucket));
    }
    failed(bucket, "", failure)
}

/// A 404 without the service's reason.
fn gateway(mut error: PortError) -> PortError {
    error.kind = PortErrorKind::Corrupt;
    error.hint("a proxy or gateway answered instead of the service: look what lies between")
}

fn no_bucket(bucket: &str) -> PortError {
    let what = format!("there is no bucket {bucket}");
    PortError::new(PortErrorKind::Config, what).hint(format!(
        "check its name, or make it: gcloud storage buckets create gs://{bucket} --location=LOCATION \
         --uniform-bucket-level-access"
    ))
}
