//! What reads a client's bytes takes any bytes: an error or a value, never a panic. Shrinks to the shortest that fails;
//! whole conversations are in `tests/it/fuzz`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::io::{AsyncRead, ReadBuf};

use super::handshake::client_encryption;
use super::login::parse_login;
use super::packet::MessageReader;
use super::rpc::{parse_batch, parse_calls, parse_declarations, parse_transaction};

/// Bytes in small pieces.
struct Pieces<'a>(std::slice::Chunks<'a, u8>);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(self.0.next().unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

/// Any bytes, or a good message with a few bytes changed and its end cut off.
fn near(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<Index>(), any::<u8>()), 1..4);
    let changed = (changes, 0_usize..8).prop_map(move |(changes, cut)| {
        let mut bytes = good.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        bytes
    });
    prop_oneof![vec(any::<u8>(), 0..200), changed]
}

fn login() -> Vec<u8> {
    let mut body = vec![0; 98];
    body[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
    body[40..44].copy_from_slice(&[94, 0, 2, 0]);
    body[94..].copy_from_slice(&[115, 0, 97, 0]);
    body
}

/// `sp_executesql` with a text, a decimal, a date, a `varbinary` and an `nvarchar(max)`.
fn call() -> Vec<u8> {
    let mut body = vec![4, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 0];
    body.extend([0, 0, 0xE7, 2, 0, 9, 4, 0xD0, 0, 0x34, 2, 0, 65, 0]);
    body.extend([0, 0, 0x6A, 9, 18, 2, 5, 1, 57, 48, 0, 0]);
    body.extend([0, 0, 0x28, 3, 1, 2, 3]);
    body.extend([0, 0, 0xA5, 20, 0, 2, 0, 1, 2]);
    body.extend([0, 0, 0xE7, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34]);
    body.extend([2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 66, 0, 0, 0, 0, 0]);
    body
}

#[test]
fn the_good_messages_are_good() {
    assert_eq!(parse_login(&login()).unwrap().request.user, "sa");
    assert_eq!(parse_calls(&call()).unwrap()[0].params.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn logins_take_any_bytes(bytes in near(login())) {
        if let Ok(login) = parse_login(&bytes) {
            prop_assert!((512..=32_767).contains(&login.packet_bytes));
        }
    }

    #[test]
    fn calls_take_any_bytes(bytes in near(call())) {
        for call in parse_calls(&bytes).unwrap_or_default() {
            prop_assert!(call.params.iter().all(|param| param.value.len() == 1));
        }
    }

    #[test]
    fn short_requests_take_any_bytes(bytes in near(vec![4, 0, 0, 0, 7, 0, 0, 1, 5])) {
        if let Ok(requests) = parse_transaction(&bytes) {
            prop_assert!((1..=2).contains(&requests.len()));
        }
        if let Ok(sql) = parse_batch(&bytes) {
            prop_assert!(sql.len() <= bytes.len() * 2);
        }
        let told = client_encryption(&bytes);
        prop_assert!(told.is_err() || !bytes.is_empty());
    }

    #[test]
    fn declarations_take_any_text(text in "[@a-zé(),=. 0-9]{0,60}") {
        let declared = parse_declarations(&text);
        prop_assert!(declared.len() <= text.matches(',').count() + 1);
    }

    /// Two good packets and their mutations, however they are cut: no more messages than headers, and an end.
    #[test]
    fn packets_take_any_bytes(
        bytes in near([[1, 1, 0, 10, 0, 0, 1, 0, 7, 7], [3, 1, 0, 10, 0, 0, 1, 0, 8, 8]].concat()),
        piece in 1_usize..12,
    ) {
        let mut reader = MessageReader::new(Pieces(bytes.chunks(piece)));
        let mut messages = 0;
        while let Some(Ok(Some(message))) = reader.message().now_or_never() {
            prop_assert!(message.body.len() <= bytes.len());
            messages += 1;
        }
        prop_assert!(messages * 8 <= bytes.len());
    }
}
