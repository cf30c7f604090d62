//! Where a bucket lies. The service says it to whoever may list objects, and to read the bucket's metadata takes more.

use serde::Deserialize;

use super::place::place;
use crate::adapters::google::Session;
use crate::adapters::google::endpoints::below;
use crate::adapters::google::http::Call;
use crate::domain::location::Location;
use crate::ports::{PortError, PortErrorKind};

/// The layout of a bucket, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    location: String,
    /// The regions of a pair that was chosen for this bucket.
    #[serde(default)]
    custom_placement_config: Placement,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placement {
    #[serde(default)]
    data_locations: Vec<String>,
}

/// Asks where the bucket of `gs://bucket/prefix` lies.
///
/// # Errors
/// `Config` for a location that names no bucket, and where there is none of that name; `Denied` without the right to list
/// objects; `Corrupt` for a reply that is not the service's; `Unreachable`.
pub async fn lies_in(session: &Session, location: &str) -> Result<Location, PortError> {
    let (bucket, _) = place(location)?;
    let path = ["storage", "v1", "b", &bucket, "storageLayout"];
    let url = below(&session.endpoints().storage, &path)?;
    let call = Call::get(format!("asking where bucket {bucket} lies"), url);
    let call = call.needs(format!("roles/storage.objectViewer on bucket {bucket}"));
    let said: Said = session.ask(&call).await?;
    if said.kind != "storage#storageLayout" || said.location.is_empty() {
        let what = format!("asking where bucket {bucket} lies: the reply does not say it");
        return Err(PortError::new(PortErrorKind::Corrupt, what)
            .hint("a proxy or gateway answered instead of the service: look what lies between"));
    }
    let pair = said.custom_placement_config.data_locations;
    Ok(Location::new(&said.location, &pair))
}
