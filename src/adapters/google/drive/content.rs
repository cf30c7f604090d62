//! Reading what is delivered: once to know its sums, and in chunks to send it.

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use crate::domain::digest::hex;
use crate::ports::{Content, PortError, PortErrorKind};

/// What a content is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    /// Size in bytes.
    pub(super) bytes: u64,
    /// MD5 in hex, which is what Drive says of a file.
    pub(super) md5: String,
    /// SHA-256 in hex.
    pub(super) sha256: String,
}

/// Reads a content to its end.
///
/// # Errors
/// What reading says.
pub(super) async fn measured(content: &dyn Content) -> Result<Sum, PortError> {
    let (mut md5, mut sha256, mut bytes) = (Md5::new(), Sha256::new(), 0_u64);
    let mut pieces = content.open();
    while let Some(piece) = pieces.try_next().await? {
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        // A piece may be a whole part, which takes tens of milliseconds.
        let more = move || {
            md5.update(&piece);
            sha256.update(&piece);
            (md5, sha256)
        };
        (md5, sha256) = spawn_blocking(more).await.map_err(|lost| {
            PortError::new(
                PortErrorKind::Corrupt,
                format!("summing what is sent: {lost}"),
            )
            .hint("deliver the package again: soxauto upload")
        })?;
    }
    Ok(Sum {
        bytes,
        md5: hex(&md5.finalize()),
        sha256: hex(&sha256.finalize()),
    })
}

/// A content in chunks of one size; the last may be smaller.
pub(super) struct Chunks<'a> {
    pieces: BoxStream<'a, Result<Bytes, PortError>>,
    held: BytesMut,
    chunk_bytes: usize,
}

impl<'a> Chunks<'a> {
    pub(super) fn of(content: &'a dyn Content, chunk_bytes: usize) -> Self {
        Self {
            pieces: content.open(),
            held: BytesMut::new(),
            chunk_bytes: chunk_bytes.max(1),
        }
    }

    /// The next chunk, which begins with what of the last one is still to be sent; empty at the end.
    ///
    /// # Errors
    /// What reading says.
    pub(super) async fn after(&mut self, unsent: Bytes) -> Result<Bytes, PortError> {
        let wanted = self.chunk_bytes.saturating_sub(unsent.len());
        while self.held.len() < wanted {
            match self.pieces.try_next().await? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None => break,
            }
        }
        let more = self.held.split_to(self.held.len().min(wanted)).freeze();
        Ok(match (unsent.is_empty(), more.is_empty()) {
            (true, _) => more,
            (_, true) => unsent,
            (false, false) => [unsent, more].concat().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::stream;

    use super::*;

    struct Pieces(Vec<&'static [u8]>);

    impl Content for Pieces {
        fn open(&self) -> BoxStream<'_, Result<Bytes, PortError>> {
            let pieces = self.0.iter().map(|piece| Ok(Bytes::from_static(piece)));
            stream::iter(pieces).boxed()
        }
    }

    #[tokio::test]
    async fn chunks_have_one_size_however_the_pieces_fall() {
        for (pieces, expected) in [
            (vec![&b"abcdefg"[..]], vec!["abc", "def", "g"]),
            (vec![b"a", b"", b"bcdef"], vec!["abc", "def"]),
            (vec![b"a", b"b"], vec!["ab"]),
            (vec![b""], vec![]),
            (vec![], vec![]),
        ] {
            let content = Pieces(pieces);
            let mut chunks = Chunks::of(&content, 3);
            let mut found = Vec::new();
            loop {
                let chunk = chunks.after(Bytes::new()).await.unwrap();
                if chunk.is_empty() {
                    break;
                }
                found.push(String::from_utf8(chunk.to_vec()).unwrap());
            }
            assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn what_was_not_sent_comes_first_and_the_size_stays() {
        let content = Pieces(vec![b"abcde"]);
        let mut chunks = Chunks::of(&content, 3);
        for (unsent, expected) in [
            ("", "abc"),
            ("abc", "abc"),
            ("c", "cde"),
            ("e", "e"),
            ("", ""),
        ] {
            let chunk = chunks.after(unsent.into()).await.unwrap();
            assert_eq!(chunk, expected, "{unsent}");
        }
    }

    #[tokio::test]
    async fn sums_are_those_of_the_whole() {
        // RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1.
        let sum = measured(&Pieces(vec![b"a", b"bc"])).await.unwrap();
        assert_eq!(sum.bytes, 3);
        assert_eq!(sum.md5, "900150983cd24fb0d6963f7d28e17f72");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum.sha256, sha256);
    }
}
