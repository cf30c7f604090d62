//! A place outside that evidence is delivered to, file by file. What lies there is a copy: nothing of the control rests
//! on it.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};

use super::PortError;

/// The bytes of a file, which can be read more than once.
pub trait Content: Send + Sync {
    /// The bytes from the beginning, in pieces; the same bytes each time.
    fn open(&self) -> BoxStream<'_, Result<Bytes, PortError>>;
}

impl Content for Bytes {
    fn open(&self) -> BoxStream<'_, Result<Bytes, PortError>> {
        stream::iter([Ok(self.clone())]).boxed()
    }
}

/// A file to deliver.
pub struct Outgoing<'a> {
    /// Name, by which the same file is known again.
    pub name: String,
    /// Media type.
    pub media_type: &'static str,
    /// Run that it belongs to.
    pub run: String,
    /// What is in it.
    pub content: &'a dyn Content,
}

/// A file that lies there, with the bytes that were to be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Name.
    pub name: String,
    /// What the place calls it.
    pub id: String,
    /// Where people find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// MD5 as the place computed it, in hex, equal to ours.
    pub md5: String,
    /// SHA-256 of what was read here, in hex.
    pub sha256: String,
    /// Whether it lay there before.
    pub was_there: bool,
}

/// A place that takes files and never loses one to another.
#[async_trait]
pub trait EvidenceSink: Send + Sync {
    /// Puts a file there. The same file again is success and makes no second copy.
    ///
    /// # Errors
    /// `Corrupt` when other bytes lie there under this name, or more than one file: nothing is overwritten or removed;
    /// `Denied`, `Unreachable`, `Timeout`, `Config`, and what reading the content says.
    async fn deliver(&self, file: &Outgoing<'_>) -> Result<Delivered, PortError>;

    /// Where it is, for people: no secrets.
    fn location(&self) -> String;
}
