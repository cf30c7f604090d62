//! Both directions of one connection after login.
//!
//! May use tokio; while it writes it keeps listening, so that an attention or a closed socket is noticed
//! however slowly the client reads.

use std::time::Duration;

use tokio::io::{ReadHalf, WriteHalf};

use super::handshake::Duplex;
use super::packet::{Message, MessageReader, MessageWriter, PacketKind, TdsError};

/// One connection.
pub(super) struct Wire {
    reader: MessageReader<ReadHalf<Box<dyn Duplex>>>,
    writer: MessageWriter<WriteHalf<Box<dyn Duplex>>>,
    /// The client has sent an attention that is not acknowledged yet.
    attention: bool,
}

/// How the end of a send looks on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    FullPackets,
    ShortPacket,
    EndOfMessage,
}

impl Wire {
    pub(super) fn new(io: Box<dyn Duplex>) -> Self {
        let (read, write) = tokio::io::split(io);
        let (reader, writer) = (MessageReader::new(read), MessageWriter::new(write));
        Self {
            reader,
            writer,
            attention: false,
        }
    }

    pub(super) fn set_packet_bytes(&mut self, packet_bytes: usize) {
        self.writer.set_packet_bytes(packet_bytes);
    }

    /// Token bytes that wait to be sent; append only.
    pub(super) fn tokens(&mut self) -> &mut Vec<u8> {
        self.writer.tokens()
    }

    /// Whether an attention waits for its acknowledgement.
    pub(super) fn attention(&self) -> bool {
        self.attention
    }

    /// The attention is about to be acknowledged.
    pub(super) fn clear_attention(&mut self) {
        self.attention = false;
    }

    /// The next request, `None` at the end of the connection.
    pub(super) async fn request(&mut self) -> Result<Option<Message>, TdsError> {
        self.reader.message().await
    }

    /// Waits, while an answer is being made, until the client interrupts it; safe to drop.
    pub(super) async fn interrupted(&mut self) -> Result<(), TdsError> {
        if self.attention {
            return Ok(());
        }
        interruption(&mut self.reader).await?;
        self.attention = true;
        Ok(())
    }

    /// Sends the full packets.
    pub(super) async fn send(&mut self) -> Result<(), TdsError> {
        self.write(Cut::FullPackets).await
    }

    /// Sends everything in an unfinished message.
    pub(super) async fn send_short(&mut self) -> Result<(), TdsError> {
        self.write(Cut::ShortPacket).await
    }

    /// Sends everything and ends the message.
    pub(super) async fn finish(&mut self) -> Result<(), TdsError> {
        self.write(Cut::EndOfMessage).await
    }

    /// Sends nothing for a while, or until the client interrupts.
    pub(super) async fn stall(&mut self, pause: Option<Duration>) -> Result<(), TdsError> {
        let sleep = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = self.interrupted() => result,
            () = sleep => Ok(()),
        }
    }

    async fn write(&mut self, cut: Cut) -> Result<(), TdsError> {
        let Self {
            reader,
            writer,
            attention,
        } = self;
        let write = async {
            match cut {
                Cut::FullPackets => writer.send().await,
                Cut::ShortPacket => writer.send_short().await,
                Cut::EndOfMessage => writer.finish().await,
            }
        };
        tokio::pin!(write);
        loop {
            tokio::select! {
                biased;
                result = &mut write => return result,
                result = interruption(reader), if !*attention => {
                    result?;
                    *attention = true;
                }
            }
        }
    }
}

/// The only thing a client may say during an answer is an attention.
async fn interruption(
    reader: &mut MessageReader<ReadHalf<Box<dyn Duplex>>>,
) -> Result<(), TdsError> {
    match reader.message().await? {
        Some(message) if message.kind == PacketKind::Attention => Ok(()),
        Some(_) => Err(TdsError::Malformed(
            "a request before the end of the answer",
        )),
        None => Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()),
    }
}
