//! One upload session: chunk after chunk, and after every doubt the question how far it has come.
//!
//! The place of a session lets whoever knows it write there. It is held in memory, and no error says it.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, HeaderValue, LOCATION, RANGE};
use url::Url;

use super::DriveFile;
use super::content::Chunks;
use crate::adapters::google::Session;
use crate::adapters::google::failure::Failure;
use crate::adapters::google::http::{Call, Reply};
use crate::domain::limits::DriveLimits;
use crate::ports::{Content, PortError, PortErrorKind};

/// Type of what will come.
const ANNOUNCED_TYPE: HeaderName = HeaderName::from_static("x-upload-content-type");
/// Size of what will come.
const ANNOUNCED_BYTES: HeaderName = HeaderName::from_static("x-upload-content-length");

/// The call that begins a session says what will come.
pub(super) fn announced(call: Call, media_type: &'static str, bytes: u64) -> Call {
    call.header(ANNOUNCED_TYPE, HeaderValue::from_static(media_type))
        .header(ANNOUNCED_BYTES, HeaderValue::from(bytes))
}

/// Where the session continues.
///
/// # Errors
/// `Corrupt` for a place that is not where the session began: no token and no evidence goes elsewhere.
pub(super) fn place(reply: &Reply, began: &Url) -> Result<Url, PortError> {
    let place = reply.headers.get(LOCATION);
    let place = place.and_then(|place| Url::parse(place.to_str().ok()?).ok());
    place
        .filter(|place| place.origin() == began.origin())
        .ok_or_else(|| {
            let what = "Drive does not say where the upload continues, or names another host";
            PortError::new(PortErrorKind::Corrupt, what)
                .hint("check that no proxy changes the replies of Drive")
        })
}

/// A session that has begun.
pub(super) struct Upload<'a> {
    pub(super) session: &'a Session,
    pub(super) limits: &'a DriveLimits,
    pub(super) what: String,
    pub(super) place: Url,
    /// Size of the whole.
    pub(super) bytes: u64,
}

/// How a session ended.
pub(super) enum End {
    /// The file is there.
    File(DriveFile),
    /// The file of this id is there already.
    Made,
    /// The service does not know the session any more.
    Forgotten,
    /// The service refused.
    Refused(Failure),
}

/// What the service says after a chunk or a question.
enum Said {
    /// So many bytes have arrived.
    Arrived(u64),
    /// It is over.
    Over(End),
}

impl Upload<'_> {
    /// Sends everything.
    ///
    /// # Errors
    /// What reading the content says; `Corrupt` when it is not as long as it was, or the reply is none.
    pub(super) async fn send(&self, content: &dyn Content) -> Result<End, PortError> {
        let mut chunks = Chunks::of(content, self.limits.chunk_bytes);
        let (mut arrived, mut stalls, mut unsent) = (0_u64, 0, Bytes::new());
        loop {
            let chunk = chunks.after(unsent).await?;
            if chunk.is_empty() {
                break;
            }
            let end = arrived + u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            let is_cut_short = end < self.bytes && chunk.len() < self.limits.chunk_bytes;
            if end > self.bytes || is_cut_short {
                return Err(self.changed());
            }
            let range = format!("bytes {arrived}-{}/{}", end - 1, self.bytes);
            let now = match self.chunk(&range, &chunk, &mut stalls).await? {
                Said::Arrived(now) => now,
                Said::Over(over) => return Ok(over),
            };
            let is_stuck = now == arrived && stalls >= self.limits.stalls_max;
            // What had arrived is no longer at hand.
            if now < arrived || now > end || is_stuck {
                return Ok(End::Forgotten);
            }
            stalls = if now > arrived { 0 } else { stalls + 1 };
            let at = usize::try_from(now - arrived).unwrap_or(usize::MAX);
            unsent = chunk.slice_ref(chunk.get(at..).unwrap_or_default());
            arrived = now;
        }
        if arrived < self.bytes {
            return Err(self.changed());
        }
        self.finish().await
    }

    /// Sends a chunk; where it is not clear what became of it, asks after a pause.
    async fn chunk(&self, range: &str, chunk: &Bytes, stalls: &mut u32) -> Result<Said, PortError> {
        // Sent once: whether it may be sent again is asked first.
        let said = self.said(&self.call(range, chunk.clone())?).await?;
        match &said {
            Said::Over(End::Refused(failure)) if failure.is_transient() => {
                *stalls += 1;
                let pause = self.session.pause(*stalls, failure.retry_after());
                match pause.filter(|_| *stalls <= self.limits.stalls_max) {
                    None => Ok(said),
                    Some(pause) => {
                        tokio::time::sleep(pause).await;
                        self.how_far().await
                    }
                }
            }
            _ => Ok(said),
        }
    }

    /// Everything has arrived: asks until the file is there.
    async fn finish(&self) -> Result<End, PortError> {
        for look in 1..=self.limits.stalls_max {
            match self.how_far().await? {
                Said::Over(over) => return Ok(over),
                Said::Arrived(now) if now == self.bytes => {
                    let pause = self.session.pause(look, None);
                    tokio::time::sleep(pause.unwrap_or_default()).await;
                }
                Said::Arrived(_) => break,
            }
        }
        Ok(End::Forgotten)
    }

    async fn how_far(&self) -> Result<Said, PortError> {
        let range = format!("bytes */{}", self.bytes);
        let call = self.call(&range, Bytes::new())?.repeatable();
        self.said(&call).await
    }

    fn call(&self, range: &str, bytes: Bytes) -> Result<Call, PortError> {
        let range = HeaderValue::try_from(range)
            .map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
        // Said also of nothing: the client leaves it out then.
        let length = HeaderValue::from(bytes.len());
        let call = Call::new(self.what.clone(), Method::PUT, self.place.clone()).resumable();
        Ok(call
            .header(CONTENT_RANGE, range)
            .header(CONTENT_LENGTH, length)
            .body("application/octet-stream", bytes))
    }

    async fn said(&self, call: &Call) -> Result<Said, PortError> {
        Ok(match self.session.send(call).await {
            Ok(reply) if reply.status == 308 => Said::Arrived(arrived(&reply)),
            Ok(reply) => Said::Over(End::File(reply.document(call)?)),
            Err(failure) if failure.is(404) || failure.is(410) => Said::Over(End::Forgotten),
            Err(failure) if failure.is(409) => Said::Over(End::Made),
            Err(failure) => Said::Over(End::Refused(failure)),
        })
    }

    fn changed(&self) -> PortError {
        let what = format!(
            "{}: what is read is not as long as it was before",
            self.what
        );
        PortError::new(PortErrorKind::Corrupt, what)
            .hint("look who changes the package or the staged parts, and deliver it again")
    }
}

/// How much has arrived; nothing when the reply does not say.
fn arrived(reply: &Reply) -> u64 {
    let range = reply
        .headers
        .get(RANGE)
        .and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| range.strip_prefix("bytes=0-")?.parse::<u64>().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn reply(name: HeaderName, value: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        Reply {
            status: 308,
            headers,
            body: Bytes::new(),
        }
    }

    #[test]
    fn what_has_arrived_is_what_the_service_counts_from_the_beginning() {
        for (range, expected) in [
            ("bytes=0-262143", 262_144),
            ("bytes=0-0", 1),
            ("bytes=5-9", 0),
            ("bytes 0-9", 0),
            ("", 0),
        ] {
            assert_eq!(arrived(&reply(RANGE, range)), expected, "{range}");
        }
        assert_eq!(arrived(&reply(LOCATION, "x")), 0);
    }

    #[test]
    fn a_session_continues_where_it_began_or_not_at_all() {
        let began = Url::parse("https://www.googleapis.com/upload").unwrap();
        let good = "https://www.googleapis.com/upload?upload_id=x";
        assert_eq!(
            place(&reply(LOCATION, good), &began).unwrap().as_str(),
            good
        );
        for other in [
            "https://www.googleapis.com.example/upload",
            "http://www.googleapis.com/upload",
            "https://www.googleapis.com:444/upload",
            "/upload",
            "",
        ] {
            let error = place(&reply(LOCATION, other), &began).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Corrupt, "{other}");
        }
    }
}
