//! The sandbox against clients whose bytes are mutated: an answer or a close in time, never a panic, and the next client
//! is served.

use std::net::SocketAddr;
use std::ops::Range;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int32Array};
use soxauto::sandbox::engine::{EngineConfig, LedgerEngine};
use soxauto::sandbox::server::{Server, ServerConfig, TlsMode};
use soxauto::sandbox::tds::fixed::{ECHO, FixedEngine};
use soxauto::sandbox::wire::SqlEngine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::mutate::Mutation;
use super::{Ends, cases, runtime};
use crate::source::{batch, column};

const BATCH: u8 = 0x01;
const RPC: u8 = 0x03;
const ATTENTION: u8 = 0x06;
const TRANSACTION: u8 = 0x0E;
/// Where the header of a message is.
const HEADER: Range<usize> = 0..8;
/// How long an answer may take before the client goes away.
const PATIENCE: Duration = Duration::from_millis(50);
/// The server ends a connection whose client says nothing more; this is for a machine under load.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// One packet that is a whole message.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
    let mut packet = vec![kind, 1, len[0], len[1], 0, 0, 1, 0];
    packet.extend(body);
    packet
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// ALL_HEADERS with a transaction descriptor, then the rest.
fn request(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![22, 0, 0, 0, 18, 0, 0, 0, 2, 0];
    body.extend([0; 8]);
    body.extend([1, 0, 0, 0]);
    body.extend(rest);
    message(kind, &body)
}

/// LOGIN7 with user and password of the books and nothing else.
fn login() -> Vec<u8> {
    let config = EngineConfig::default();
    let password: Vec<u8> = utf16(&config.password)
        .iter()
        .map(|byte| byte.rotate_left(4) ^ 0xA5)
        .collect();
    let mut body = vec![0; 94];
    body[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
    for (entry, bytes) in [(40, utf16(&config.login)), (44, password)] {
        let offset = u16::try_from(body.len()).unwrap().to_le_bytes();
        let units = u16::try_from(bytes.len() / 2).unwrap().to_le_bytes();
        body[entry..entry + 2].copy_from_slice(&offset);
        body[entry + 2..entry + 4].copy_from_slice(&units);
        body.extend(bytes);
    }
    message(0x10, &body)
}

/// An nvarchar argument.
fn text(text: &str) -> Vec<u8> {
    let bytes = utf16(text);
    let mut param = vec![0, 0, 0xE7, 0x40, 0x1F, 9, 4, 0xD0, 0, 0x34];
    param.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
    param.extend(bytes);
    param
}

/// A call by number, its text arguments, and arguments of every other shape.
fn call(number: u8, texts: &[&str], others: bool) -> Vec<u8> {
    let mut rest = vec![0xFF, 0xFF, number, 0, 0, 0];
    if number == 13 {
        rest.extend([0, 1, 0x26, 4, 0]); // The handle that goes back: int, null.
    }
    rest.extend(texts.iter().flat_map(|argument| text(argument)));
    if others {
        rest.extend([0, 0, 0x26, 4, 4, 7, 0, 0, 0]); // int
        rest.extend([0, 0, 0x6A, 9, 18, 2, 5, 1, 57, 48, 0, 0]); // decimal(18,2)
        rest.extend([0, 0, 0x28, 3, 1, 2, 3]); // date
        rest.extend([0, 0, 0x2A, 7, 8, 1, 2, 3, 4, 5, 1, 2, 3]); // datetime2(7)
        rest.extend([0, 0, 0xA5, 20, 0, 2, 0, 1, 2]); // varbinary(20)
        rest.extend([0, 0, 0xE7, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34]); // nvarchar(max)
        rest.extend(4_u64.to_le_bytes());
        rest.extend([4, 0, 0, 0, 65, 0, 66, 0, 0, 0, 0, 0]);
    }
    request(RPC, &rest)
}

/// What a client says from its first byte on, each waiting for its answer.
fn conversation(sql: &str) -> Vec<Vec<u8>> {
    let declared =
        "@a int, @b decimal(18,2), @c date, @d datetime2(7), @e varbinary(20), @f nvarchar(max)";
    vec![
        message(0x12, &[1, 0, 6, 0, 1, 0xFF, 2]),
        login(),
        request(TRANSACTION, &[5, 0, 5, 0]),
        request(BATCH, &utf16(sql)),
        call(10, &[ECHO, declared], true),
        call(10, &[sql], false),
        call(13, &[declared, sql], true),
        request(
            RPC,
            &[
                &[10, 0],
                &utf16("sp_execute")[..],
                &[0, 0, 0, 0, 0x26, 4, 4, 1, 0, 0, 0],
            ]
            .concat(),
        ),
        message(ATTENTION, &[]),
        request(TRANSACTION, &[7, 0, 0, 0]),
    ]
}

/// Reads to the end of one message; `None` when the connection ended.
async fn answer(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let mut header = [0; 8];
        socket.read_exact(&mut header).await.ok()?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]])) - 8;
        let start = whole.len();
        whole.resize(start + len, 0);
        socket.read_exact(&mut whole[start..]).await.ok()?;
        if header[1] & 1 != 0 {
            return Some(whole);
        }
    }
}

/// Says these messages, each after the answer to the one before.
async fn talk(server: SocketAddr, messages: &[Vec<u8>]) -> TcpStream {
    let mut socket = TcpStream::connect(server).await.unwrap();
    for (at, message) in messages.iter().enumerate() {
        socket.write_all(message).await.unwrap();
        let answered = timeout(ANSWER_TIME_MAX, answer(&mut socket)).await;
        assert!(
            matches!(answered, Ok(Some(_))),
            "message {at}: {answered:?}"
        );
    }
    socket
}

/// Says something and then no more; gives all that the server says before it closes.
async fn last_word(mut socket: TcpStream, word: &[u8]) -> Vec<u8> {
    // A server that has closed already takes no more; that is an answer, too.
    drop(socket.write_all(word).await);
    let mut said = Vec::new();
    let whole = timeout(PATIENCE, answer(&mut socket)).await;
    said.extend(whole.ok().flatten().unwrap_or_default());
    drop(socket.shutdown().await);
    let end = timeout(ANSWER_TIME_MAX, socket.read_to_end(&mut said)).await;
    drop(end.expect("a close in time"));
    said
}

async fn fuzz(name: &'static str, engine: impl SqlEngine, sql: &str) {
    let config = ServerConfig {
        tls: TlsMode::Off,
        ..ServerConfig::default()
    };
    let server = Server::start(config, Arc::new(engine)).await.unwrap();
    let good = conversation(sql);
    drop(talk(server.addr(), &good).await);
    let panicked = utf16("the engine panicked");
    let ends = Ends::default();
    cases(name, async |mut dice| {
        let at = dice.below(good.len());
        let word =
            Mutation::any(&mut dice, good[at].len(), slice::from_ref(&HEADER)).apply(&good[at]);
        let said = last_word(talk(server.addr(), &good[..at]).await, &word).await;
        let hidden = said.windows(panicked.len()).any(|part| part == panicked);
        assert!(!hidden, "a panic of the engine over {word:02x?}");
        ends.count(if said.is_empty() {
            "closed"
        } else {
            "answered"
        });
    })
    .await;
    ends.print();
    drop(talk(server.addr(), &good).await);
}

#[test]
fn mutated_requests_are_answered_or_closed() {
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..100));
    let config = EngineConfig::default();
    let engine = FixedEngine::new()
        .with_login(&config.login, &config.password)
        .on_rows("SELECT n", vec![column("n", "int")], batch(vec![numbers]));
    runtime("fuzz-server").block_on(fuzz("fuzz-server", engine, "SELECT n"));
}

/// The same in front of the whole engine: mutated texts reach its parser, planner and session.
#[test]
fn mutated_statements_do_not_shake_the_engine() {
    let engine = LedgerEngine::new(EngineConfig {
        rows: 50,
        ..EngineConfig::default()
    });
    let sql = "SELECT TOP 5 g.[Amount], CAST(g.[Posting Date] AS date) AS d FROM \
               [AIG_Nav_DW].[dbo].[G_L Entries] AS g WHERE g.[Amount] > 1.50 ORDER BY g.[Entry No_]";
    runtime("fuzz-engine").block_on(fuzz("fuzz-engine", engine.unwrap(), sql));
}
