//! Cloud Storage: a bucket and a prefix as a root of whole objects, each created by one request (ADR-0028).
//!
//! May use the session and `object_store`, whose port it is. Never overwrites: an object is created where there is
//! none, or not at all. Never copies, and uploads nothing in pieces, because neither can promise that.

mod layout;
mod place;
mod refused;
mod reply;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue, RANGE};
use url::Url;

use crate::ports::{PortError, PortErrorKind, StoreRoot};

use super::Session;
use super::endpoints::below;
use super::http::{Call, Reply};
use place::{is_plain, place};
use reply::Listing;

pub use layout::lies_in;

/// Scheme of the locations that are opened here.
pub const SCHEME: &str = "gs://";

/// The object's generation that a write expects; 0 is none.
const IF_GENERATION_MATCH: HeaderName = HeaderName::from_static("x-goog-if-generation-match");
/// Checksums of an object: of what is sent, compared by the service before it keeps anything, and of what comes.
const HASH: HeaderName = HeaderName::from_static("x-goog-hash");

/// Status of the reply to a deletion.
const NO_CONTENT: u16 = 204;

/// Objects in one page of a list: the most that the service gives.
const PAGE_OBJECTS_MAX: &str = "1000";
/// What is asked for of each object in a list.
const LIST_FIELDS: &str = "kind,items(name,size,updated,etag,generation),prefixes,nextPageToken";

/// Opens `gs://bucket/prefix`; nothing is asked before the first use.
///
/// # Errors
/// `Config` for a location that names no bucket, or whose prefix has other than plain letters.
pub fn root(session: Session, location: &str) -> std::result::Result<StoreRoot, PortError> {
    let (bucket, prefix) = place(location)?;
    let store = Gcs { session, bucket };
    let uri = location.trim_end_matches('/').to_owned();
    Ok(if prefix.is_empty() {
        StoreRoot {
            store: Arc::new(store),
            uri,
        }
    } else {
        StoreRoot {
            store: Arc::new(PrefixStore::new(store, prefix)),
            uri,
        }
    })
}

/// One bucket.
#[derive(Clone)]
struct Gcs {
    session: Session,
    bucket: String,
}

impl Gcs {
    fn call(&self, doing: &str, method: Method, url: Url, role: &str) -> Call {
        // Reading is repeatable by nature; a write expects no object, and a second one finds the first.
        Call::new(format!("{doing} bucket {}", self.bucket), method, url)
            .needs(format!("roles/storage.{role} on bucket {}", self.bucket))
            .repeatable()
    }

    fn url_of(&self, at: &Path) -> Result<Url> {
        let name = at.as_ref();
        if !is_plain(name) {
            let what = format!("`{name}` is no name for an object: it has other than plain ASCII");
            return Err(refused::ours(PortError::new(PortErrorKind::Config, what)));
        }
        let mut segments = vec![self.bucket.as_str()];
        segments.extend(name.split('/'));
        below(&self.session.endpoints().storage, &segments).map_err(refused::ours)
    }

    async fn send(&self, call: &Call, at: &str) -> Result<Reply> {
        let sent = self.session.send(call).await;
        sent.map_err(|failure| refused::failed(&self.bucket, at, failure))
    }

    async fn page(&self, prefix: &str, delimiter: bool, token: Option<&str>) -> Result<Listing> {
        let segments = ["storage", "v1", "b", &self.bucket, "o"];
        let mut url = below(&self.session.endpoints().storage, &segments).map_err(refused::ours)?;
        let mut asked = vec![
            ("prefix", prefix),
            ("maxResults", PAGE_OBJECTS_MAX),
            ("fields", LIST_FIELDS),
        ];
        asked.extend(delimiter.then_some(("delimiter", "/")));
        asked.extend(token.map(|token| ("pageToken", token)));
        url.query_pairs_mut().extend_pairs(asked);
        let call = self.call("listing", Method::GET, url, "objectViewer");
        let reply = self.session.send(&call).await;
        let reply = reply.map_err(|failure| refused::list_failed(&self.bucket, failure))?;
        let page: Listing = reply.document(&call).map_err(refused::ours)?;
        if !page.is_list() {
            return Err(self.strange("listing"));
        }
        Ok(page)
    }

    /// Everything below a folder; with `delimiter` only what lies in it, and the folders there.
    async fn listed(&self, folder: Option<&Path>, delimiter: bool) -> Result<ListResult> {
        let folder = folder.map(Path::as_ref).filter(|folder| !folder.is_empty());
        let prefix = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        let mut found = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
        };
        let mut token = None;
        for _ in 0..self.session.limits().list_pages_max {
            let page = self.page(&prefix, delimiter, token.as_deref()).await?;
            token = page.add_to(&mut found)?;
            if token.is_none() {
                return Ok(found);
            }
        }
        let what = format!("the list of bucket {} does not end", self.bucket);
        let error = PortError::new(PortErrorKind::Limit, what);
        Err(refused::ours(
            error.hint("use a bucket or a prefix of its own"),
        ))
    }

    async fn delete_one(&self, at: &Path) -> Result<()> {
        let url = self.url_of(at)?;
        let call = self.call("deleting from", Method::DELETE, url, "objectUser");
        let reply = self.send(&call, at.as_ref()).await?;
        if reply.status == NO_CONTENT {
            return Ok(());
        }
        Err(self.strange("deleting from"))
    }

    /// Whether an object is there. The reply to HEAD has no body: why it is not there, GET must say.
    async fn head_of(&self, call: &Call, at: &Path) -> Result<Reply> {
        match self.session.send(call).await {
            Err(failure) if failure.is(404) => {
                let call = self.reading(Method::GET, at)?;
                self.send(&call, at.as_ref()).await
            }
            sent => sent.map_err(|failure| refused::failed(&self.bucket, at.as_ref(), failure)),
        }
    }

    fn reading(&self, method: Method, at: &Path) -> Result<Call> {
        let call = self.call("reading from", method, self.url_of(at)?, "objectViewer");
        Ok(call.reply_bytes_max(self.session.limits().object_bytes_max))
    }

    /// What lies where a write was answered, but not as the service answers it.
    async fn read_after_write(&self, at: &Path, written: &Bytes) -> Result<PutResult> {
        let call = self.reading(Method::GET, at)?;
        let there = match self.send(&call, at.as_ref()).await {
            Ok(reply) => reply,
            Err(Error::NotFound { .. }) => return Err(self.strange("writing to")),
            Err(error) => return Err(error),
        };
        let found = reply::written(&there, &crc32c_header(&there.body));
        let found = found.ok_or_else(|| self.strange("writing to"))?;
        if there.body == *written {
            return Ok(found);
        }
        let what = "an object with other bytes lies there";
        Err(Error::AlreadyExists {
            path: at.to_string(),
            source: Box::new(PortError::new(PortErrorKind::Corrupt, what)),
        })
    }

    /// A reply of success that the service does not give.
    fn strange(&self, doing: &str) -> Error {
        let host = self.session.endpoints().storage.host_str();
        let what = format!(
            "{doing} bucket {}: the reply is not one of Cloud Storage",
            self.bucket
        );
        refused::ours(PortError::new(PortErrorKind::Corrupt, what).hint(format!(
            "a proxy or gateway answered instead of the service: this machine must reach {} itself",
            host.unwrap_or_default()
        )))
    }

    fn never(&self, operation: &str) -> Error {
        Error::NotImplemented {
            operation: operation.to_owned(),
            implementer: self.to_string(),
        }
    }
}

#[async_trait]
impl ObjectStore for Gcs {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        if opts.mode != PutMode::Create {
            return Err(self.never("overwriting"));
        }
        let (bytes, bytes_max) = (Bytes::from(payload), self.session.limits().object_bytes_max);
        if bytes.len() > bytes_max {
            let what = format!(
                "an object of {} bytes, of which {bytes_max} are allowed",
                bytes.len()
            );
            return Err(refused::ours(PortError::new(PortErrorKind::Limit, what)));
        }
        let hash = crc32c_header(&bytes);
        let sum = HeaderValue::try_from(&hash).map_err(|_| self.never("hashing"))?;
        // Said also of nothing: the client leaves it out then, and the service answers 411.
        let length = HeaderValue::from(bytes.len());
        let call = self
            .call("writing to", Method::PUT, self.url_of(at)?, "objectCreator")
            .header(IF_GENERATION_MATCH, HeaderValue::from_static("0"))
            .header(HASH, sum)
            .header(CONTENT_LENGTH, length)
            .body("application/octet-stream", bytes.clone());
        match self.send(&call, at.as_ref()).await {
            Ok(reply) => match reply::written(&reply, &hash) {
                Some(written) => Ok(written),
                None => self.read_after_write(at, &bytes).await,
            },
            // Who may only create may be refused, instead of told 412, where something lies already.
            Err(Error::PermissionDenied { path, source }) if self.head(at).await.is_ok() => {
                Err(Error::AlreadyExists { path, source })
            }
            Err(error) => Err(error),
        }
    }

    async fn put_multipart_opts(
        &self,
        _at: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        // What is completed in pieces replaces what is there, and knows no condition.
        Err(self.never("put_multipart_opts"))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        let conditions = [
            options.if_match.is_some(),
            options.if_none_match.is_some(),
            options.if_modified_since.is_some(),
            options.if_unmodified_since.is_some(),
            options.version.is_some(),
        ];
        if conditions.contains(&true) {
            return Err(self.never("reading under a condition"));
        }
        let method = if options.head {
            Method::HEAD
        } else {
            Method::GET
        };
        let mut call = self.reading(method, at)?;
        let range = options.range.filter(|_| !options.head);
        if let Some(range) = &range {
            let value = HeaderValue::try_from(range.to_string());
            call = call.header(RANGE, value.map_err(|_| self.never("such a range"))?);
        }
        let reply = if options.head {
            self.head_of(&call, at).await?
        } else {
            self.send(&call, at.as_ref()).await?
        };
        let read = if options.head {
            reply::head(&reply, at)
        } else if range.is_some() {
            reply::piece(reply, at)
        } else {
            reply::whole(reply, at)
        };
        read.map_err(|why| {
            let what = format!("reading from bucket {}: {why}", self.bucket);
            let error = PortError::new(PortErrorKind::Corrupt, what);
            refused::ours(
                error.hint("run it again; if it stays, what lies between changes replies"),
            )
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let one = move |at: Result<Path>| {
            let store = store.clone();
            async move {
                let at = at?;
                store.delete_one(&at).await?;
                Ok(at)
            }
        };
        locations.then(one).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let all = async move {
            let found = store.listed(prefix.as_ref(), false).await?;
            Ok::<_, Error>(stream::iter(found.objects.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.listed(prefix, true).await
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(self.never("copy_opts"))
    }
}

/// The CRC32C as Cloud Storage writes it.
fn crc32c_header(bytes: &[u8]) -> String {
    let sum = STANDARD.encode(crc32c::crc32c(bytes).to_be_bytes());
    format!("crc32c={sum}")
}

impl fmt::Display for Gcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.bucket)
    }
}

impl fmt::Debug for Gcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_written_as_the_service_writes_it() {
        // The check value of CRC-32C in its catalogues: E3069283 for these nine digits.
        assert_eq!(crc32c_header(b"123456789"), "crc32c=4waSgw==");
        assert_eq!(crc32c_header(b""), "crc32c=AAAAAA==");
    }
}
