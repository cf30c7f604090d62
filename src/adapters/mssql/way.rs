//! The way to a server, step by step, before anybody logs in: its name, then its port.
//!
//! Says which step failed, because each is mended by somebody else.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::MssqlSource;
use crate::ports::{PortError, PortErrorKind};

impl MssqlSource {
    /// The addresses of the server's name.
    ///
    /// # Errors
    /// `Unreachable` when nobody knows the name, `Timeout` when nobody answers.
    pub async fn resolve(&self) -> Result<Vec<IpAddr>, PortError> {
        let host = self.address.host.as_str();
        let limit = self.limits.connect_timeout;
        let looked = timeout(limit, lookup_host((host, self.address.port))).await;
        let found = match looked {
            Ok(Ok(found)) => found.map(|address| address.ip()).collect::<Vec<_>>(),
            Ok(Err(error)) => return Err(unknown(host, &error.to_string())),
            Err(_) => {
                let what = format!(
                    "no name server answered for {host} in {} s",
                    limit.as_secs()
                );
                return Err(PortError::new(PortErrorKind::Timeout, what).hint(NAMES));
            }
        };
        match found.is_empty() {
            true => Err(unknown(host, "it has no address")),
            false => Ok(found),
        }
    }

    /// Opens a TCP connection and closes it, without a word.
    ///
    /// # Errors
    /// `Unreachable` and `Timeout` say how far the packets came.
    pub async fn dial(&self) -> Result<(), PortError> {
        let limit = self.limits.connect_timeout;
        let connecting = TcpStream::connect((self.address.host.as_str(), self.address.port));
        match timeout(limit, connecting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(closed(&self.server(), &error)),
            Err(_) => Err(silent(&self.server(), limit.as_secs())),
        }
    }
}

const NAMES: &str = "check the name in SERVER=…; a private name needs a zone in Cloud DNS that forwards to its own name \
                     servers (deploy/network.md)";

const ROUTE: &str = "the network loses the packets: check that job and service leave through the VPC (network, subnet, \
                     VPC egress), the VPN or interconnect, and that firewalls on both sides let the subnet reach this \
                     port (deploy/network.md)";

fn unknown(host: &str, why: &str) -> PortError {
    let what = format!("the name {host} is not known on this machine: {why}");
    PortError::new(PortErrorKind::Unreachable, what).hint(NAMES)
}

fn silent(server: &str, seconds: u64) -> PortError {
    let what = format!("no reply from {server} in {seconds} s");
    PortError::new(PortErrorKind::Timeout, what).hint(ROUTE)
}

fn closed(server: &str, error: &io::Error) -> PortError {
    let unreachable = |what: String| PortError::new(PortErrorKind::Unreachable, what);
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            unreachable(format!("{server} refuses the connection: nothing listens there")).hint(
                "check the port in SERVER=…, that SQL Server listens for TCP, and that no firewall refuses this machine",
            )
        }
        ErrorKind::TimedOut => {
            PortError::new(PortErrorKind::Timeout, format!("no reply from {server}")).hint(ROUTE)
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            unreachable(format!("there is no route to {server}")).hint(ROUTE)
        }
        _ => unreachable(format!("{server} cannot be connected to: {error}")).hint(ROUTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_says_who_mends_it() {
        let said = |kind| closed("fin-sql:1433", &io::Error::from(kind)).to_string();
        let refused = said(ErrorKind::ConnectionRefused);
        assert!(
            refused.contains("nothing listens") && !refused.contains("VPC"),
            "{refused}"
        );
        let lost = said(ErrorKind::NetworkUnreachable);
        assert!(
            lost.contains("no route") && lost.contains("VPC egress"),
            "{lost}"
        );
        let late = silent("fin-sql:1433", 10).to_string();
        assert!(
            late.contains("no reply from fin-sql:1433 in 10 s"),
            "{late}"
        );
        assert!(late.contains("VPN"), "{late}");
    }
}
