//! TLS for TDS: the server's certificate, and the handshake that travels inside pre-login packets.
//!
//! May use rustls and rcgen. Only TLS 1.2 is offered: with TDS 7.4 the last flight of the handshake must still
//! be wrapped in a packet, and only TLS 1.2 ends with a flight of the server.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs, version::TLS12};

use super::packet::{HEADER_BYTES, PacketKind, end_of_message, put_packet};

/// The server side of TLS and the certificate a client may choose to trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) certificate_pem: String,
}

/// Makes a self-signed certificate (not a CA) for `localhost`, `127.0.0.1` and `::1`.
pub(crate) fn new_tls() -> Result<Tls, Box<dyn std::error::Error + Send + Sync>> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = rcgen::CertificateParams::new(names.to_vec())?;
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "soxauto sandbox");
    params
        .extended_key_usages
        .push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    let key = rcgen::KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key_der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key_der)?;
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        certificate_pem: certificate.pem(),
    })
}

/// A socket that wraps everything in pre-login packets until the handshake is over.
pub(super) struct HandshakeIo {
    stream: TcpStream,
    wrapping: bool,
    /// Header bytes of the packet being read.
    header: Vec<u8>,
    /// Body bytes of that packet still to be read.
    body_left: usize,
    /// Handshake bytes of ours not yet put in a packet.
    pending: Vec<u8>,
    /// Packet bytes on their way out, and how many of them are sent.
    wire: Vec<u8>,
    sent: usize,
}

impl HandshakeIo {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            wrapping: true,
            header: Vec::with_capacity(HEADER_BYTES),
            body_left: 0,
            pending: Vec::new(),
            wire: Vec::new(),
            sent: 0,
        }
    }

    /// From now on TLS lies directly on TCP.
    pub(super) fn end_wrapping(&mut self) {
        self.wrapping = false;
    }

    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Sends what is pending as one packet.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sent == self.wire.len() && !self.pending.is_empty() {
            self.wire.clear();
            self.sent = 0;
            put_packet(
                &mut self.wire,
                PacketKind::PreLogin,
                end_of_message(),
                1,
                &self.pending,
            )
            .map_err(io::Error::other)?;
            self.pending.clear();
        }
        while let Some(rest) = self.wire.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.sent += n,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads the header of the next packet.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.header.len() < HEADER_BYTES {
            let mut space = [0; HEADER_BYTES];
            let missing = HEADER_BYTES - self.header.len();
            let mut part = ReadBuf::new(space.get_mut(..missing).unwrap_or_default());
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.header.extend_from_slice(part.filled());
        }
        if let [_, _, high, low, ..] = self.header.as_slice() {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            self.body_left = len.saturating_sub(HEADER_BYTES);
        }
        self.header.clear();
        Poll::Ready(Ok(true))
    }
}

impl AsyncRead for HandshakeIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.wrapping {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        ready!(self.poll_send(cx))?;
        while self.body_left == 0 {
            if !ready!(self.poll_header(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
        let room = buf.remaining().min(self.body_left);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buf.advance(read);
        self.body_left -= read;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HandshakeIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.wrapping {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        self.pending.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
