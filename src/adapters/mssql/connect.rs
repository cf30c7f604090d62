//! Opens a connection: resolve, connect, TLS, login. The only step that is retried.

use std::io;
use std::time::Duration;

use rand::Rng;
use socket2::{SockRef, TcpKeepalive};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::{info, warn};

use crate::domain::limits::Limits;
use crate::ports::{PortError, PortErrorKind};

use super::connection_string::{Address, Encrypt};
use super::error;

/// A logged-in connection.
pub(super) type Wire = Client<Compat<TcpStream>>;

/// Packet size asked for; SQL Server's largest for encrypted connections is 16383.
const PACKET_BYTES: u32 = 16_383;

/// Opens a connection, again after transient errors.
///
/// # Errors
/// The last error: `Unreachable`, `Denied`, `Timeout`, `Config`.
pub(super) async fn connect(address: &Address, limits: &Limits) -> Result<Wire, PortError> {
    let server = format!("{}:{}", address.host, address.port);
    let mut attempt = 1;
    loop {
        match connect_once(address, limits).await {
            Ok(client) => {
                info!(server, attempt, "connected");
                return Ok(client);
            }
            Err(error) if error.is_retryable && attempt < limits.open_attempts_max => {
                let pause = pause(attempt, limits);
                warn!(server, attempt, pause_ms = pause.as_millis(), kind = ?error.kind, "cannot connect yet");
                sleep(pause).await;
                attempt += 1;
            }
            Err(error) => {
                return Err(error
                    .at("server", server)
                    .at("attempts", attempt.to_string()));
            }
        }
    }
}

/// Capped exponential pause with full jitter.
fn pause(attempt: u32, limits: &Limits) -> Duration {
    let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let longest = limits
        .open_backoff_first
        .saturating_mul(factor)
        .min(limits.open_backoff_max);
    rand::rng().random_range(Duration::ZERO..=longest)
}

async fn connect_once(address: &Address, limits: &Limits) -> Result<Wire, PortError> {
    let limit = |phase: Duration| address.connect_timeout.map_or(phase, |own| own.min(phase));
    let connecting = TcpStream::connect((address.host.as_str(), address.port));
    let tcp = timeout(limit(limits.connect_timeout), connecting)
        .await
        .map_err(|_| late("TCP connect", limit(limits.connect_timeout)))?
        .and_then(|tcp| prepare(tcp, limits))
        .map_err(|io| error::opening(&io.into()))?;
    let config = config(address)?;
    timeout(
        limit(limits.handshake_timeout),
        Client::connect(config, tcp.compat_write()),
    )
    .await
    .map_err(|_| late("TLS handshake and login", limit(limits.handshake_timeout)))?
    .map_err(|failed| error::opening(&failed))
}

fn late(phase: &str, limit: Duration) -> PortError {
    PortError::new(
        PortErrorKind::Timeout,
        format!("{phase} took longer than {} s", limit.as_secs()),
    )
    .hint("check host, port, firewall and VPN: the server must accept TCP from this machine")
    .retryable()
}

fn prepare(tcp: TcpStream, limits: &Limits) -> io::Result<TcpStream> {
    tcp.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(limits.tcp_keepalive)
        .with_interval(limits.tcp_keepalive);
    SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
    Ok(tcp)
}

/// Every option explicitly: the driver's defaults change between versions.
fn config(address: &Address) -> Result<Config, PortError> {
    let mut config = Config::new();
    config.host(
        address
            .host_name_in_certificate
            .as_ref()
            .unwrap_or(&address.host),
    );
    config.port(address.port);
    config.database(&address.database);
    config.application_name(concat!("soxauto ", env!("CARGO_PKG_VERSION")));
    config.authentication(AuthMethod::sql_server(
        &address.user,
        address.password.expose(),
    ));
    config.encryption(match address.encrypt {
        Encrypt::Mandatory => EncryptionLevel::Required,
        Encrypt::LoginOnly => EncryptionLevel::Off,
    });
    if address.trust_server_certificate {
        config.trust_cert();
    } else if let Some(file) = &address.server_certificate {
        let pem = std::fs::read(file).map_err(|io| {
            PortError::new(
                PortErrorKind::Config,
                format!("the file of ServerCertificate cannot be read: {io}"),
            )
            .hint("name a readable PEM or DER file")
        })?;
        config.trust_cert_ca_bundle(pem);
    }
    config.readonly(address.read_only_intent);
    config.packet_size(PACKET_BYTES);
    config.lossy_utf16_decoding(false);
    // The reader keeps its own limits by phase; the driver's would count the first token too.
    config.handshake_timeout(None);
    config.command_timeout(None);
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_capped() {
        let limits = Limits::default();
        for attempt in 1..40 {
            let longest = limits
                .open_backoff_first
                .saturating_mul(2_u32.saturating_pow(attempt - 1));
            assert!(pause(attempt, &limits) <= longest.min(limits.open_backoff_max));
        }
    }
}
