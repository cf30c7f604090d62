//! Bytes on the wire that no driver sends on command: pooled resets, several calls in one message, rubbish.

use soxauto::sandbox::server::TlsMode;
use soxauto::sandbox::tds::fixed::FixedEngine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Packet status: last packet of its message.
const END: u8 = 0x01;
/// Packet status: the same, and the session is to be reset first.
const END_AND_RESET: u8 = 0x09;
const BATCH: u8 = 0x01;
const RPC: u8 = 0x03;
const TRANSACTION: u8 = 0x0E;

/// Just enough TDS to send any bytes and to see or count those of the answer.
pub(super) struct RawClient {
    socket: TcpStream,
    buf: Vec<u8>,
}

impl RawClient {
    pub(super) async fn connect(server: &Server, packet_bytes: u32) -> Self {
        let socket = TcpStream::connect(server.addr()).await.unwrap();
        let mut client = Self {
            socket,
            buf: vec![0; 1 << 20],
        };
        // Pre-login with ENCRYPTION "not supported", then a LOGIN7 of empty fields.
        client.ask(0x12, END, &[1, 0, 6, 0, 1, 0xFF, 2]).await;
        let mut login = vec![0; 94];
        login[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
        login[8..12].copy_from_slice(&packet_bytes.to_le_bytes());
        client.ask(0x10, END, &login).await;
        client
    }

    /// Sends one message and returns the tokens of the answer.
    async fn ask(&mut self, kind: u8, status: u8, body: &[u8]) -> Vec<u8> {
        self.send(kind, status, body).await;
        let mut tokens = Vec::new();
        self.answer(|part| tokens.extend_from_slice(part)).await;
        tokens
    }

    async fn send(&mut self, kind: u8, status: u8, body: &[u8]) {
        let len = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
        let mut packet = vec![kind, status, len[0], len[1], 0, 0, 1, 0];
        packet.extend(body);
        self.socket.write_all(&packet).await.unwrap();
    }

    /// Reads packets to the end of a message; returns how many bytes they had.
    async fn answer(&mut self, mut part: impl FnMut(&[u8])) -> usize {
        let (mut at, mut end, mut total) = (0, 0, 0);
        loop {
            while end - at >= 8 {
                let header = &self.buf[at..];
                let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
                if end - at < len {
                    break;
                }
                let last = header[1] & END != 0;
                part(&header[8..len]);
                (at, total) = (at + len, total + len);
                if last {
                    return total;
                }
            }
            self.buf.copy_within(at..end, 0);
            (at, end) = (0, end - at);
            let read = self.socket.read(&mut self.buf[end..]).await.unwrap();
            assert!(read > 0, "closed in mid-answer");
            end += read;
        }
    }
}

/// ALL_HEADERS without headers, then the text.
fn batch_body(sql: &str) -> Vec<u8> {
    let mut body = 4_u32.to_le_bytes().to_vec();
    body.extend(sql.encode_utf16().flat_map(u16::to_le_bytes));
    body
}

/// `sp_executesql` by number with a statement and nothing else.
fn execute_sql(sql: &str) -> Vec<u8> {
    let text: Vec<u8> = sql.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let len = u16::try_from(text.len()).unwrap().to_le_bytes();
    let mut call = vec![
        0xFF, 0xFF, 10, 0, 0, 0, 0, 0, 0xE7, 0x40, 0x1F, 9, 4, 0xD0, 0, 0x34,
    ];
    call.extend(len);
    call.extend(text);
    call
}

fn contains(tokens: &[u8], part: &[u8]) -> bool {
    tokens.windows(part.len()).any(|window| window == part)
}

async fn open() -> (Server, RawClient) {
    let server = start_with(FixedEngine::new(), tls(TlsMode::Off)).await;
    let client = RawClient::connect(&server, 4096).await;
    (server, client)
}

#[tokio::test]
async fn a_reset_gives_a_fresh_session_and_says_so() {
    let (_server, mut client) = open().await;
    // ENVCHANGE 8 announces the transaction, error 3902 says that there is none any more.
    let began = client.ask(BATCH, END, &batch_body("BEGIN TRAN")).await;
    assert_eq!(began[..5], [0xE3, 11, 0, 8, 8]);
    let reset = client
        .ask(BATCH, END_AND_RESET, &batch_body("COMMIT"))
        .await;
    assert_eq!(reset[..6], [0xE3, 3, 0, 18, 0, 0]);
    assert!(contains(&reset, &3902_u32.to_le_bytes()));
}

#[tokio::test]
async fn several_calls_in_one_message_are_answered_one_after_another() {
    let (_server, mut client) = open().await;
    let mut body = 4_u32.to_le_bytes().to_vec();
    body.extend(execute_sql("SET NOCOUNT ON"));
    body.push(0xFF);
    body.extend(execute_sql("SET ARITHABORT ON"));
    let tokens = client.ask(RPC, END, &body).await;
    let done = |status: u8| {
        let mut token = vec![0x79, 0, 0, 0, 0, 0xFE, status];
        token.extend([0; 11]);
        token
    };
    assert!(
        tokens.ends_with(&done(0)),
        "the last DONEPROC ends the message"
    );
    assert!(
        contains(&tokens, &done(1)),
        "the first says that more follows"
    );
}

#[tokio::test]
async fn an_attention_between_requests_is_acknowledged() {
    let (_server, mut client) = open().await;
    let tokens = client.ask(0x06, END, &[]).await;
    assert_eq!(tokens[..3], [0xFD, 0x20, 0]);
}

#[tokio::test]
async fn rubbish_is_answered_with_an_error_and_the_connection_lives_on() {
    let (_server, mut client) = open().await;
    let good = execute_sql("SET NOCOUNT ON");
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..2_000_usize {
        // A valid call with a few bytes changed at random, and cut somewhere.
        let mut body = 4_u32.to_le_bytes().to_vec();
        body.extend(&good);
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let [byte, at, ..] = state.to_be_bytes();
            let at = usize::from(at) % body.len();
            body[at] ^= byte;
        }
        body.truncate(body.len() - round % 7);
        let kind = [RPC, BATCH, TRANSACTION][round % 3];
        let tokens = client.ask(kind, END, &body).await;
        assert!(
            [0xFD, 0xFE].contains(&tokens[tokens.len() - 13]),
            "round {round}"
        );
    }
    let tokens = client.ask(BATCH, END, &batch_body("SET NOCOUNT ON")).await;
    assert_eq!(tokens, [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// The rest of what the server says until it closes, without packet headers.
async fn rest(client: &mut RawClient) -> Vec<u8> {
    let mut said = Vec::new();
    client.socket.read_to_end(&mut said).await.unwrap();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < said.len() {
        let len = usize::from(u16::from_be_bytes([said[at + 2], said[at + 3]]));
        tokens.extend_from_slice(&said[at + 8..at + len]);
        at += len;
    }
    tokens
}

/// The two kinds of tokens that no run of ours meets: the handle of `sp_prepexec`, and an error that the engine sends.
#[tokio::test]
async fn handles_and_errors_are_cut_where_planned() {
    use soxauto::sandbox::tds::fault::{AnswerFault, FaultAction, Faults, TokenKind, TokenPart};
    let mut prepare = vec![4, 0, 0, 0, 0xFF, 0xFF, 13, 0, 0, 0, 0, 1, 0x26, 4, 0];
    prepare.extend([0, 0, 0xE7, 0x40, 0x1F, 9, 4, 0xD0, 0, 0x34, 0, 0]);
    prepare.extend(&execute_sql("SET NOCOUNT ON")[6..]);
    let wrong = batch_body("SELECT unknown");
    for (kind, body, token, first) in [
        (RPC, &prepare, TokenKind::ReturnValue, 0xAC),
        (BATCH, &wrong, TokenKind::Message, 0xAA),
    ] {
        let (_server, mut client) = open().await;
        let whole = client.ask(kind, END, body).await;
        let mut kept = Vec::new();
        for part in [TokenPart::Before, TokenPart::Inside, TokenPart::After] {
            let fault = AnswerFault {
                answer: 1,
                token: (token, 1),
                part,
                action: FaultAction::Cut,
            };
            let faults = Faults {
                answers: vec![fault],
                ..Faults::default()
            };
            let config = ServerConfig {
                faults,
                ..tls(TlsMode::Off)
            };
            let server = start_with(FixedEngine::new(), config).await;
            let mut client = RawClient::connect(&server, 4096).await;
            client.send(kind, END, body).await;
            let said = rest(&mut client).await;
            assert_eq!(said, whole[..said.len()], "{token:?} {part:?}");
            kept.push(said.len());
        }
        assert_eq!(whole[kept[0]], first, "{token:?}");
        assert!(kept[0] < kept[1] && kept[1] < kept[2] && kept[2] < whole.len());
    }
}
