//! The root for verifying: opens the roots that a package and its parts lie in.

use super::roots::RootOpener;
use super::scratch;
use crate::domain::limits::Limits;
use crate::pipeline::package::{VerifyReport, VerifyRequest, verify_package};
use crate::ports::PortError;
use crate::settings::GoogleSettings;

/// Verifies a package: `staging` names the root that holds its parts, if not the one that the package names.
///
/// # Errors
/// A place that cannot be opened at all; whatever is wrong inside the package is in the report.
pub async fn verify(
    package: &str,
    staging: Option<&str>,
    manifest_sha256: Option<&str>,
) -> Result<VerifyReport, PortError> {
    let roots = RootOpener::new(&GoogleSettings::default()).await?;
    verify_with(&roots, package, staging, manifest_sha256).await
}

/// Verifies a package as [`verify`] does, with roots that somebody else opens.
///
/// # Errors
/// As [`verify`].
pub async fn verify_with(
    roots: &RootOpener,
    package: &str,
    staging: Option<&str>,
    manifest_sha256: Option<&str>,
) -> Result<VerifyReport, PortError> {
    let package = roots.open_existing(package)?;
    let staging = staging
        .map(|staging| roots.open_existing(staging))
        .transpose()?;
    let request = VerifyRequest {
        package: &package,
        staging: staging.as_ref(),
        open: &|location| roots.open_existing(location),
        manifest_sha256,
        scratch: &scratch,
        limits: &Limits::default(),
    };
    Ok(verify_package(request).await)
}
