//! SQL Server over TDS with tiberius.
//!
//! The only folder that names tiberius. May use `domain`, `ports` and the carrier types of `kernels`. A connection belongs to one task; it is opened
//! with retries and read without; after any error or early stop it is closed, never reused.

mod access;
mod connect;
pub mod connection_string;
mod convert;
mod decode;
mod describe;
mod error;
mod guard;
mod reader;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::domain::limits::Limits;
use crate::ports::{PortError, PortErrorKind, Secret, Snapshot, Source};

use connection_string::Address;

/// A SQL Server that answers to one connection string.
#[derive(Debug)]
pub struct MssqlSource {
    address: Address,
    limits: Limits,
    /// Connections that may be open at once; a snapshot holds its permit until it ends.
    slots: Arc<Semaphore>,
}

impl MssqlSource {
    /// Reads the connection string; nothing is opened yet.
    ///
    /// # Errors
    /// `Config` for a malformed string, without any of its values.
    pub fn new(
        connection_string: &Secret,
        limits: Limits,
        connections_max: usize,
    ) -> Result<Self, PortError> {
        let address = connection_string::parse(connection_string.expose())?;
        Ok(Self {
            address,
            limits,
            slots: Arc::new(Semaphore::new(connections_max)),
        })
    }

    /// `host:port`, for people.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}:{}", self.address.host, self.address.port)
    }
}

#[async_trait]
impl Source for MssqlSource {
    async fn open(&self, databases: &[String]) -> Result<Box<dyn Snapshot>, PortError> {
        let closed = |_| PortError::new(PortErrorKind::Limit, "the source is shutting down");
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(closed)?;
        let opening = async {
            let mut client = connect::connect(&self.address, &self.limits).await?;
            let opened = access::open(&mut client, databases, &self.limits)
                .await
                .map_err(|error| error.at("server", self.server()))?;
            Ok((client, opened))
        };
        let (client, opened) = guard::contained(opening).await?;
        Ok(Box::new(reader::MssqlSnapshot::start(
            client,
            opened,
            self.server(),
            self.limits.clone(),
            slot,
        )))
    }
}
