//! Work floor: the way of one item from the source to its sealed evidence.
//!
//! May use `domain`, `kernels`, `ports` and `report`; names no vendor and picks no adapter.
//!
//! # Order
//! open one view · describe, ask control totals · rows: fold, stage, second path · totals again if only bracketed ·
//! check (pure) · load (only what every check let through) · read back · seal. Whatever happens, the item is sealed.

pub mod alert;
mod ask;
pub mod check;
mod check_freshness;
mod check_loaded;
pub mod check_population;
pub mod check_quality;
mod check_scope;
mod check_sequence;
pub mod check_witness;
pub mod clean;
pub mod deliver;
pub mod elsewhere;
pub mod extract;
pub mod findings;
pub mod inspect;
mod item;
pub mod keys;
pub mod lease;
pub mod log;
pub mod months;
pub mod package;
mod passage;
mod population;
mod previous;
pub mod probe;
pub mod progress;
pub mod publication;
mod publish;
pub mod reconcile;
pub mod record;
pub mod schedule;
pub mod stage;
pub mod trial;
mod uploaded;
pub(crate) mod witness;
pub mod workflow;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::run::Holder;
use crate::ports::{Clock, Processes, Sources, StoreRoot, Warehouse};

use lease::Leases;
use package::SealedPackage;
use progress::Progress;
use record::{ItemRecord, Places};

pub use item::run_ipe;

/// Everything outside that a run works with; the root picks the adapters.
#[derive(Clone)]
pub struct Tools {
    /// Sources by the name of their secret.
    pub sources: Arc<dyn Sources>,
    /// Staging root.
    pub staging: StoreRoot,
    /// Warehouse.
    pub warehouse: Arc<dyn Warehouse>,
    /// Evidence root.
    pub evidence: StoreRoot,
    /// Where its leases lie.
    pub leases: Leases,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who else runs on this machine.
    pub processes: Arc<dyn Processes>,
    /// Who listens.
    pub progress: Arc<dyn Progress>,
    /// Asks every item to stop; one that is being loaded ends first.
    pub stop: CancellationToken,
    /// Limits.
    pub limits: Limits,
    /// Where all this is, for the evidence.
    pub places: Places,
}

/// What one item left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemOutcome {
    /// The record.
    pub record: ItemRecord,
    /// The sealed package; `None` when sealing failed, which the record's error says.
    pub package: Option<SealedPackage>,
    /// The run that was at work on the item and month, so that this one was not let in.
    pub held_by: Option<Holder>,
    /// Runs of the item and month that had never ended, and that this one sealed as abandoned.
    pub buried: Vec<RunId>,
}
