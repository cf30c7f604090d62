//! What Drive refuses, and what to do about it. No name of a session is in any of these texts.

use super::DriveFile;
use super::content::Sum;
use crate::adapters::google::failure::Failure;
use crate::domain::ids::FolderId;
use crate::ports::{PortError, PortErrorKind};

/// What to do about a folder in a drive of somebody's own.
pub(super) const NO_STORAGE: &str = "a service account has no storage of its own: name a folder of a shared drive, and make \
     the account a Contributor there";

/// The error of a call, with the next step where Drive has one of its own.
pub(super) fn failed(folder: &FolderId, caller: &str, failure: Failure) -> PortError {
    let Failure::Refused(refusal) = &failure else {
        return failure.into();
    };
    let status = refusal.status;
    let reason = refusal.reason.clone().unwrap_or_default();
    let error = PortError::from(failure);
    match (status, reason.as_str()) {
        (403, "storageQuotaExceeded") => error.hint(NO_STORAGE),
        (403, "teamDriveFileLimitExceeded" | "numChildrenInNonRootLimitExceeded") => {
            error.hint("the folder is full: name another one")
        }
        (403, "accessNotConfigured" | "SERVICE_DISABLED") => {
            error.hint("switch the service on: gcloud services enable drive.googleapis.com")
        }
        (403, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => error.hint(
            "the token is not for Drive: give the machine the scope drive.file (Cloud Run gives it when asked), or pass \
             --google-credentials",
        ),
        (404, _) => error.hint(format!(
            "check --drive-folder {folder}, and share the folder with {caller} as a Contributor"
        )),
        _ => error,
    }
}

/// Other bytes lie under this name.
pub(super) fn other_bytes(folder: &FolderId, name: &str, file: &DriveFile, sum: &Sum) -> PortError {
    let theirs = file.md5_checksum.as_deref().unwrap_or("unknown");
    let what = format!(
        "{name} in folder {folder} has other bytes (MD5 {theirs}, {} bytes) than what is delivered (MD5 {}, {} bytes); \
         nothing is overwritten",
        file.size.as_deref().unwrap_or("unknown"),
        sum.md5,
        sum.bytes
    );
    PortError::new(PortErrorKind::Corrupt, what)
        .at("id", file.id.clone())
        .hint("find out who changed it there; move it away in Drive, and deliver it again")
}

/// Several files have this name: two were uploaded at once, or somebody made a copy.
pub(super) fn several(folder: &FolderId, name: &str, files: &[DriveFile], sum: &Sum) -> PortError {
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    let same = files.iter().filter(|file| file.is(sum)).count();
    let what = format!(
        "folder {folder} has {} files named {name}, {same} of them with the bytes that are delivered; none is removed",
        files.len()
    );
    PortError::new(PortErrorKind::Corrupt, what)
        .at("ids", ids.join(" "))
        .hint("keep one with these bytes, move the others away in Drive, and deliver it again")
}
