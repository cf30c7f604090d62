//! From a fresh socket to a parsed login: pre-login, encryption, LOGIN7.
//!
//! May use tokio and rustls; it must never hand a password to a log.

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::sandbox::server::TlsMode;

use super::input::Input;
use super::login::{Login, parse_login};
use super::packet::{Message, MessageReader, PacketKind, TdsError, end_of_message, put_packet};
use super::tls::HandshakeIo;

/// Any byte stream that TDS can lie on.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

const ENCRYPT_OFF: u8 = 0;
const ENCRYPT_ON: u8 = 1;
const ENCRYPT_NOT_SUPPORTED: u8 = 2;
const ENCRYPT_REQUIRED: u8 = 3;

/// What the two sides agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    LoginOnly,
    Whole,
}

/// Runs everything before the first request; the login is read, not yet answered.
pub(super) async fn establish(
    mut stream: TcpStream,
    mode: TlsMode,
    acceptor: &TlsAcceptor,
) -> Result<(Box<dyn Duplex>, Login), TdsError> {
    let prelogin = read_one(&mut stream, PacketKind::PreLogin).await?;
    let wish = client_encryption(&prelogin.body)?;
    let (answer, agreed) = negotiate(mode, wish);
    let mut wire = Vec::new();
    put_packet(
        &mut wire,
        PacketKind::Reply,
        end_of_message(),
        1,
        &prelogin_answer(answer),
    )?;
    stream.write_all(&wire).await?;
    match agreed {
        None => Err(TdsError::Unsupported(
            "a client without encryption".to_owned(),
        )),
        Some(Encryption::None) => {
            let login = read_one(&mut stream, PacketKind::Login7).await?;
            Ok((Box::new(stream), parse_login(&login.body)?))
        }
        Some(Encryption::LoginOnly) => {
            let mut tls = accept_tls(stream, acceptor).await?;
            let login = read_one(&mut tls, PacketKind::Login7).await?;
            let (inner, _) = tls.into_inner();
            Ok((Box::new(inner.into_stream()), parse_login(&login.body)?))
        }
        Some(Encryption::Whole) => {
            let mut tls = accept_tls(stream, acceptor).await?;
            let login = read_one(&mut tls, PacketKind::Login7).await?;
            Ok((Box::new(tls), parse_login(&login.body)?))
        }
    }
}

async fn accept_tls(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
) -> Result<TlsStream<HandshakeIo>, TdsError> {
    let mut tls = acceptor.accept(HandshakeIo::new(stream)).await?;
    tls.flush().await?;
    tls.get_mut().0.end_wrapping();
    Ok(tls)
}

/// Reads one message of the expected kind; the client must then wait for the answer.
async fn read_one<S: AsyncRead + Unpin>(
    stream: &mut S,
    kind: PacketKind,
) -> Result<Message, TdsError> {
    let mut reader = MessageReader::new(stream);
    let message = reader
        .message()
        .await?
        .ok_or(TdsError::Malformed("closed before login"))?;
    if message.kind != kind {
        return Err(TdsError::Malformed("unexpected message before login"));
    }
    if reader.has_buffered() {
        return Err(TdsError::Malformed("client did not wait for the answer"));
    }
    Ok(message)
}

/// The ENCRYPTION option of a pre-login message.
pub(super) fn client_encryption(body: &[u8]) -> Result<u8, TdsError> {
    let mut table = Input::new(body);
    loop {
        match table.u8()? {
            0xFF => return Ok(ENCRYPT_NOT_SUPPORTED),
            option => {
                let offset = usize::from(u16::from_be_bytes(table.array()?));
                table.u16()?;
                if option == 1 {
                    let value = body.get(offset).copied();
                    return value
                        .ok_or(TdsError::Malformed("pre-login option outside its message"));
                }
            }
        }
    }
}

/// The answer byte, and what holds from then on; `None` means the connection must end.
fn negotiate(mode: TlsMode, wish: u8) -> (u8, Option<Encryption>) {
    let wants = matches!(wish, ENCRYPT_ON | ENCRYPT_REQUIRED);
    match (mode, wish) {
        // The client that insists gives up by itself after this answer.
        (TlsMode::Off, _) => (ENCRYPT_NOT_SUPPORTED, (!wants).then_some(Encryption::None)),
        (TlsMode::Required, ENCRYPT_NOT_SUPPORTED) => (ENCRYPT_REQUIRED, None),
        (TlsMode::Required, ENCRYPT_OFF) => (ENCRYPT_REQUIRED, Some(Encryption::Whole)),
        (TlsMode::Optional, ENCRYPT_NOT_SUPPORTED) => {
            (ENCRYPT_NOT_SUPPORTED, Some(Encryption::None))
        }
        (TlsMode::Optional, ENCRYPT_OFF) => (ENCRYPT_OFF, Some(Encryption::LoginOnly)),
        _ => (ENCRYPT_ON, Some(Encryption::Whole)),
    }
}

/// VERSION, ENCRYPTION, INSTOPT, THREADID and MARS (off).
fn prelogin_answer(encryption: u8) -> Vec<u8> {
    let version = [16, 0, 0x03, 0xE8, 0, 0];
    let options: [(u8, &[u8]); 5] = [
        (0, &version),
        (1, &[encryption]),
        (2, &[0]),
        (3, &[]),
        (4, &[0]),
    ];
    let mut offset = options.len() * 5 + 1;
    let (mut table, mut data) = (Vec::new(), Vec::new());
    for (option, value) in options {
        table.push(option);
        for number in [offset, value.len()] {
            table.extend_from_slice(&u16::try_from(number).unwrap_or(0).to_be_bytes());
        }
        data.extend_from_slice(value);
        offset += value.len();
    }
    table.push(0xFF);
    table.extend(data);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiation_follows_the_table_of_ms_tds() {
        let agreed = |mode, wish| negotiate(mode, wish);
        assert_eq!(agreed(TlsMode::Off, 0), (2, Some(Encryption::None)));
        assert_eq!(agreed(TlsMode::Off, 1), (2, None));
        assert_eq!(
            agreed(TlsMode::Optional, 0),
            (0, Some(Encryption::LoginOnly))
        );
        assert_eq!(agreed(TlsMode::Optional, 1), (1, Some(Encryption::Whole)));
        assert_eq!(agreed(TlsMode::Optional, 2), (2, Some(Encryption::None)));
        assert_eq!(agreed(TlsMode::Required, 0), (3, Some(Encryption::Whole)));
        assert_eq!(agreed(TlsMode::Required, 2), (3, None));
    }

    #[test]
    fn the_answer_reads_back() {
        assert_eq!(
            client_encryption(&prelogin_answer(ENCRYPT_ON)).unwrap(),
            ENCRYPT_ON
        );
        assert!(client_encryption(&[1, 0]).is_err());
        assert!(client_encryption(&[1, 0, 200, 0, 1, 0xFF]).is_err());
    }
}
