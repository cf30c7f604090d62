//! What Cloud Storage answers, as objects and lists. An object that came whole has the checksum that came with it.
//!
//! May use `http`; asks nothing.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::stream;
use object_store::path::Path;
use object_store::{Attributes, GetResult, GetResultPayload, ListResult, ObjectMeta, PutResult};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};
use serde::Deserialize;

use crate::ports::{PortError, PortErrorKind};

use super::super::http::Reply;
use super::{HASH, crc32c_header, refused};

const GENERATION: HeaderName = HeaderName::from_static("x-goog-generation");

/// Status of a reply with a piece of an object.
const PARTIAL: u16 = 206;

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    /// A number as text, as this service writes 64 bits.
    size: String,
    updated: DateTime<Utc>,
    etag: Option<String>,
    generation: Option<String>,
}

impl Listing {
    /// Whether it says that it is a list; any document without the fields would be an empty one.
    pub(super) fn is_list(&self) -> bool {
        self.kind == "storage#objects"
    }

    /// Adds what the page names; gives the token of the next page.
    pub(super) fn add_to(self, found: &mut ListResult) -> object_store::Result<Option<String>> {
        for folder in &self.prefixes {
            found.common_prefixes.push(Path::parse(folder)?);
        }
        // A name that ends in a slash is the console's mark of an empty folder, not an object of ours.
        for item in self.items.into_iter().filter(|i| !i.name.ends_with('/')) {
            found.objects.push(item.meta()?);
        }
        Ok(self.next_page_token.filter(|token| !token.is_empty()))
    }
}

impl Item {
    fn meta(self) -> object_store::Result<ObjectMeta> {
        let size = self.size.parse().map_err(|_| {
            let what = "a list names an object without a size";
            refused::ours(PortError::new(PortErrorKind::Corrupt, what))
        })?;
        Ok(ObjectMeta {
            location: Path::parse(&self.name)?,
            last_modified: self.updated,
            size,
            e_tag: self.etag,
            version: self.generation,
        })
    }
}

/// An object that was written; `None` for a reply that does not prove it by a generation and the sum of what was sent.
pub(super) fn written(reply: &Reply, sent: &str) -> Option<PutResult> {
    let version = Some(text(&reply.headers, &GENERATION)?);
    (checksum(&reply.headers)? == sent).then(|| PutResult {
        e_tag: text(&reply.headers, &ETAG),
        version,
    })
}

/// The CRC32C that a reply names.
fn checksum(headers: &HeaderMap) -> Option<&str> {
    let mut hashes = headers.get_all(HASH).iter();
    hashes.find_map(|value| {
        let mut sums = value.to_str().ok()?.split(',').map(str::trim);
        sums.find(|sum| sum.starts_with("crc32c="))
    })
}

/// An object that was only asked about.
pub(super) fn head(reply: &Reply, at: &Path) -> Result<GetResult, String> {
    let size = text(&reply.headers, &CONTENT_LENGTH).and_then(|size| size.parse().ok());
    let meta = meta(&reply.headers, at, size.ok_or("the reply says no size")?)?;
    Ok(result(meta, 0..0, bytes::Bytes::new()))
}

/// A whole object.
pub(super) fn whole(reply: Reply, at: &Path) -> Result<GetResult, String> {
    if reply.status == PARTIAL {
        return Err("a piece came instead of the whole".to_owned());
    }
    match checksum(&reply.headers) {
        Some(sum) if sum == crc32c_header(&reply.body) => {}
        Some(_) => return Err("the object does not have the CRC32C that came with it".to_owned()),
        None => return Err("the object came without a checksum".to_owned()),
    }
    let size = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
    let meta = meta(&reply.headers, at, size)?;
    Ok(result(meta, 0..size, reply.body))
}

/// A piece of an object.
pub(super) fn piece(reply: Reply, at: &Path) -> Result<GetResult, String> {
    let range = text(&reply.headers, &CONTENT_RANGE).filter(|_| reply.status == PARTIAL);
    let (range, size) = range
        .as_deref()
        .and_then(content_range)
        .ok_or("no range came with the piece")?;
    let length = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
    if range.end.checked_sub(range.start) != Some(length) {
        return Err("the piece is not as long as its range".to_owned());
    }
    let meta = meta(&reply.headers, at, size)?;
    Ok(result(meta, range, reply.body))
}

/// Reads `bytes first-last/size`.
fn content_range(text: &str) -> Option<(std::ops::Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let end = last.parse::<u64>().ok()?.checked_add(1)?;
    Some((first.parse().ok()?..end, size.parse().ok()?))
}

fn meta(headers: &HeaderMap, at: &Path, size: u64) -> Result<ObjectMeta, String> {
    let modified = text(headers, &LAST_MODIFIED);
    let modified = modified.and_then(|text| DateTime::parse_from_rfc2822(&text).ok());
    Ok(ObjectMeta {
        location: at.clone(),
        last_modified: modified.ok_or("the reply says no time")?.to_utc(),
        size,
        e_tag: text(headers, &ETAG),
        version: Some(text(headers, &GENERATION).ok_or("the reply says no generation")?),
    })
}

fn result(meta: ObjectMeta, range: std::ops::Range<u64>, body: bytes::Bytes) -> GetResult {
    GetResult {
        payload: GetResultPayload::Stream(stream::iter([Ok(body)]).boxed()),
        meta,
        range,
        attributes: Attributes::default(),
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nothing_else_is() {
        assert_eq!(content_range("bytes 0-9/100"), Some((0..10, 100)));
        for wrong in ["bytes */100", "0-9/100", "bytes 0-9/*", "bytes 9/1", ""] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }
}
