//! TDS packets: eight-byte headers around the parts of a message.
//!
//! May use tokio I/O. It must never hold more than [`MESSAGE_BYTES_MAX`] of a client's message.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Length of a packet header.
pub(super) const HEADER_BYTES: usize = 8;
/// Packet size before login has negotiated another one (MS-TDS 2.2.3.1).
pub(super) const PACKET_BYTES_DEFAULT: usize = 4096;
/// Smallest and largest packet size a login may ask for (MS-TDS 2.2.6.4).
pub(super) const PACKET_BYTES_RANGE: std::ops::RangeInclusive<usize> = 512..=32767;
/// Longest request this server reads; the longest parameters of the tests are a few MiB.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes asked from the socket at once.
const READ_BYTES: usize = 16 * 1024;

const STATUS_END: u8 = 0x01;
const STATUS_IGNORE: u8 = 0x02;
const STATUS_RESET: u8 = 0x08 | 0x10;

/// What can go wrong on a connection below SQL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TdsError {
    /// The socket failed or was closed by the client.
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    /// The client does not speak TDS 7.4 as it should.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// The client wants something that is not built.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A planned fault cut the connection.
    #[error("cut by a planned fault")]
    Cut,
    /// The login was refused; the client was told why.
    #[error("login refused with error {0}")]
    Refused(u32),
    /// A phase took longer than its limit.
    #[error("{0} took too long")]
    Timeout(&'static str),
}

/// The packet types that a server receives or sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketKind {
    SqlBatch,
    Rpc,
    Reply,
    Attention,
    BulkLoad,
    TransactionManager,
    Login7,
    PreLogin,
}

impl PacketKind {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::SqlBatch => 0x01,
            Self::Rpc => 0x03,
            Self::Reply => 0x04,
            Self::Attention => 0x06,
            Self::BulkLoad => 0x07,
            Self::TransactionManager => 0x0E,
            Self::Login7 => 0x10,
            Self::PreLogin => 0x12,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, TdsError> {
        Ok(match byte {
            0x01 => Self::SqlBatch,
            0x03 => Self::Rpc,
            0x06 => Self::Attention,
            0x07 => Self::BulkLoad,
            0x0E => Self::TransactionManager,
            0x10 => Self::Login7,
            0x12 => Self::PreLogin,
            _ => return Err(TdsError::Malformed("unknown packet type")),
        })
    }
}

/// A whole request.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: PacketKind,
    /// The client asks for a fresh session first.
    pub(super) reset: bool,
    pub(super) body: Vec<u8>,
}

/// Puts packets together to messages; dropping a pending [`MessageReader::message`] loses nothing.
#[derive(Debug)]
pub(super) struct MessageReader<R> {
    io: R,
    buf: BytesMut,
    kind: Option<PacketKind>,
    reset: bool,
    body: Vec<u8>,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    pub(super) fn new(io: R) -> Self {
        Self {
            io,
            buf: BytesMut::new(),
            kind: None,
            reset: false,
            body: Vec::new(),
        }
    }

    /// Whether bytes of a further message were read already.
    pub(super) fn has_buffered(&self) -> bool {
        !self.buf.is_empty()
    }

    /// The next message, or `None` when the client has closed the connection between two messages.
    pub(super) async fn message(&mut self) -> Result<Option<Message>, TdsError> {
        loop {
            while let Some(message) = self.next_buffered()? {
                match message {
                    Assembled::Whole(message) => return Ok(Some(message)),
                    Assembled::Part => {}
                }
            }
            self.buf.reserve(READ_BYTES);
            if self.io.read_buf(&mut self.buf).await? == 0 {
                if self.buf.is_empty() && self.kind.is_none() {
                    return Ok(None);
                }
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Takes one packet out of the buffer if it is complete.
    fn next_buffered(&mut self) -> Result<Option<Assembled>, TdsError> {
        let Some(&[kind, status, high, low, ..]) = self.buf.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        let Some(body_len) = len.checked_sub(HEADER_BYTES) else {
            return Err(TdsError::Malformed("packet shorter than its header"));
        };
        if self.buf.len() < len {
            return Ok(None);
        }
        if self.body.len() + body_len > MESSAGE_BYTES_MAX {
            return Err(TdsError::Malformed("message longer than 64 MiB"));
        }
        let kind = PacketKind::from_byte(kind)?;
        self.buf.advance(HEADER_BYTES);
        self.body.extend_from_slice(&self.buf.split_to(body_len));
        let first = *self.kind.get_or_insert(kind);
        if first != kind {
            return Err(TdsError::Malformed("packets of two messages are mixed"));
        }
        self.reset |= status & STATUS_RESET != 0;
        if status & STATUS_END == 0 {
            return Ok(Some(Assembled::Part));
        }
        self.kind = None;
        let body = std::mem::take(&mut self.body);
        let reset = std::mem::take(&mut self.reset);
        if status & STATUS_IGNORE != 0 {
            return Ok(Some(Assembled::Part));
        }
        Ok(Some(Assembled::Whole(Message { kind, reset, body })))
    }
}

enum Assembled {
    Part,
    Whole(Message),
}

/// Cuts token bytes into packets.
#[derive(Debug)]
pub(super) struct MessageWriter<W> {
    io: W,
    kind: PacketKind,
    packet_bytes: usize,
    packet_id: u8,
    tokens: Vec<u8>,
    wire: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> MessageWriter<W> {
    pub(super) fn new(io: W) -> Self {
        Self {
            io,
            kind: PacketKind::Reply,
            packet_bytes: PACKET_BYTES_DEFAULT,
            packet_id: 1,
            tokens: Vec::new(),
            wire: Vec::new(),
        }
    }

    pub(super) fn set_packet_bytes(&mut self, packet_bytes: usize) {
        self.packet_bytes = packet_bytes;
    }

    /// Token bytes not yet cut into packets; append only.
    pub(super) fn tokens(&mut self) -> &mut Vec<u8> {
        &mut self.tokens
    }

    /// Sends all full packets and keeps the rest, so that only the last packet of a message is short.
    pub(super) async fn send(&mut self) -> Result<(), TdsError> {
        let payload = self.packet_bytes - HEADER_BYTES;
        // At least one byte stays back for the packet that carries the end-of-message bit.
        let whole = self.tokens.len().saturating_sub(1) / payload * payload;
        self.pack(whole, 0)?;
        self.write().await
    }

    /// Sends everything; ends the message.
    pub(super) async fn finish(&mut self) -> Result<(), TdsError> {
        let payload = self.packet_bytes - HEADER_BYTES;
        let whole = self.tokens.len().saturating_sub(1) / payload * payload;
        self.pack(whole, 0)?;
        self.pack(self.tokens.len(), STATUS_END)?;
        self.packet_id = 1;
        self.write().await
    }

    /// Sends everything with a short packet that does not end the message (planned faults only).
    pub(super) async fn send_short(&mut self) -> Result<(), TdsError> {
        self.send().await?;
        if !self.tokens.is_empty() {
            self.pack(self.tokens.len(), 0)?;
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), TdsError> {
        self.io.write_all(&self.wire).await?;
        self.wire.clear();
        self.io.flush().await?;
        Ok(())
    }

    /// Moves the first `len` token bytes into packets; an empty last packet is legal.
    fn pack(&mut self, len: usize, last_status: u8) -> Result<(), TdsError> {
        let payload = self.packet_bytes - HEADER_BYTES;
        let ready = self.tokens.get(..len).unwrap_or_default();
        for part in ready.chunks(payload) {
            put_packet(&mut self.wire, self.kind, last_status, self.packet_id, part)?;
            self.packet_id = self.packet_id.wrapping_add(1);
        }
        if len == 0 && last_status & STATUS_END != 0 {
            put_packet(&mut self.wire, self.kind, last_status, self.packet_id, &[])?;
        }
        if len >= self.tokens.len() {
            self.tokens.clear();
        } else {
            self.tokens.drain(..len);
        }
        Ok(())
    }
}

/// Appends one packet.
pub(super) fn put_packet(
    wire: &mut Vec<u8>,
    kind: PacketKind,
    status: u8,
    packet_id: u8,
    part: &[u8],
) -> Result<(), TdsError> {
    let len = u16::try_from(part.len() + HEADER_BYTES)
        .map_err(|_| TdsError::Malformed("packet too long"))?;
    let [high, low] = len.to_be_bytes();
    wire.extend_from_slice(&[kind.byte(), status, high, low, 0, 0, packet_id, 0]);
    wire.extend_from_slice(part);
    Ok(())
}

/// The status bit of the last packet of a message.
pub(super) const fn end_of_message() -> u8 {
    STATUS_END
}
