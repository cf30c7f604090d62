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
mod estimate;
mod guard;
mod reader;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::limits::Limits;
use crate::domain::query::BoundQuery;
use crate::ports::{Estimate, PortError, PortErrorKind, Secret, Snapshot, Source};

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

    /// A logged-in connection, and the permit that it holds.
    async fn connect(&self) -> Result<(connect::Wire, OwnedSemaphorePermit), PortError> {
        let closed = |_| PortError::new(PortErrorKind::Limit, "the source is shutting down");
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(closed)?;
        let client = guard::contained(connect::connect(&self.address, &self.limits)).await?;
        Ok((client, slot))
    }
}

#[async_trait]
impl Source for MssqlSource {
    async fn open(&self, databases: &[String]) -> Result<Box<dyn Snapshot>, PortError> {
        let (mut client, slot) = self.connect().await?;
        let opening = access::open(&mut client, databases, &self.limits);
        let opened = guard::contained(opening)
            .await
            .map_err(|error| error.at("server", self.server()))?;
        Ok(Box::new(reader::MssqlSnapshot::start(
            client,
            opened,
            self.server(),
            self.limits.clone(),
            slot,
        )))
    }

    async fn estimate(&self, query: &BoundQuery) -> Result<Estimate, PortError> {
        let (mut client, _slot) = self.connect().await?;
        guard::contained(estimate::estimate(&mut client, query, &self.limits))
            .await
            .map_err(|error| error.at("server", self.server()))
    }
}
