//! A warehouse that can be tried without touching a table of the control.

use async_trait::async_trait;

use super::{PortError, Warehouse};
use crate::domain::contract::Contract;

/// How the tables of a trial begin; no other table is ever dropped.
pub const TRIAL_PREFIX: &str = "soxauto_doctor_";

/// A warehouse in which a table of no account can be made, loaded as a month is, counted and dropped.
#[async_trait]
pub trait TrialWarehouse: Warehouse {
    /// Where the place of its tables is; `None` where there is none yet, and the first load makes it.
    ///
    /// # Errors
    /// `Config` for a place that is elsewhere than the run says; `Denied`, `Unreachable`.
    async fn found_in(&self) -> Result<Option<String>, PortError>;

    /// Makes a table of the contract by the statement that makes those of items, except that it goes away by itself.
    ///
    /// # Errors
    /// `Config` for a name that is none of a trial; else as [`Warehouse::prepare`].
    async fn prepare_trial(&self, table: &str, contract: &Contract) -> Result<(), PortError>;

    /// Drops the table of a trial; one that is not there is as good.
    ///
    /// # Errors
    /// `Config` for a name that is none of a trial; `Denied`, `Unreachable`.
    async fn drop_trial(&self, table: &str) -> Result<(), PortError>;
}
