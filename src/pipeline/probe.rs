//! Whether a root keeps its promises: what is created is there, and nothing replaces it.
//!
//! May use storage. Leaves one small object behind, because a root under retention gives nothing back, and who may only
//! create cannot take anything away (ADR-0035).

use bytes::Bytes;

use crate::domain::ids::RunId;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Folder of everything that looking leaves in a root. No item has such a name, so that cleaning leaves it alone.
pub const FOLDER: &str = "soxauto-doctor";

/// What the object holds.
const FIRST: &[u8] =
    b"Written by `soxauto doctor` to see that this root can be written and read.\n";
/// What is tried to be written over it.
const SECOND: &[u8] =
    b"If this is here, an object of this root can be replaced, which must not be.\n";

/// Creates an object that is named by `look`, reads it back, and tries to create another of the same name. The name is
/// new each time: where something lies already, storage may refuse whoever has no right to create in the same words.
///
/// # Errors
/// `Corrupt` when it reads back differently or was replaced; else what the storage says.
pub async fn create_only(root: &StoreRoot, look: &RunId) -> Result<(), PortError> {
    let path = format!("{FOLDER}/{look}.txt");
    root.create(&path, Bytes::from_static(FIRST)).await?;
    if root.get(&path).await? != FIRST {
        let what = "what was written reads back differently";
        return Err(PortError::new(PortErrorKind::Corrupt, what)
            .at("uri", root.uri_of(&path))
            .hint("find out what lies between this machine and the storage, and changes bytes"));
    }
    let second = root.create(&path, Bytes::from_static(SECOND)).await;
    let stands = root.get(&path).await? == FIRST;
    match second {
        Err(error) if error.kind == PortErrorKind::Corrupt && stands => Ok(()),
        Err(error) if error.kind != PortErrorKind::Corrupt => Err(error),
        _ => {
            let what =
                "a second object of the same name was taken: what is created here does not stay";
            Err(PortError::new(PortErrorKind::Corrupt, what)
                .at("uri", root.uri_of(&path))
                .hint("use a storage that keeps create-only writes; a proxy may have dropped their condition"))
        }
    }
}
