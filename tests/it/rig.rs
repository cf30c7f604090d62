//! One run of one item with every tool chosen by the test.

use std::sync::Arc;

use async_trait::async_trait;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::mssql::MssqlSource;
use soxauto::adapters::process::ProcProcesses;
use soxauto::adapters::store;
use soxauto::app::SystemClock;
use soxauto::domain::ids::RunId;
use soxauto::domain::ipe::Ipe;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::{Program, RunContext};
use soxauto::pipeline::lease::Leases;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::Places;
use soxauto::pipeline::{ItemOutcome, Tools, run_ipe};
use soxauto::ports::{Clock, PortError, Secret, Source, Sources, StoreRoot, Warehouse};
use tokio_util::sync::CancellationToken;

/// Where a run leaves what it makes, and its limits.
#[derive(Clone)]
pub(crate) struct Rig {
    pub(crate) staging: StoreRoot,
    pub(crate) evidence: StoreRoot,
    /// Folder of the warehouse.
    pub(crate) warehouse: String,
    pub(crate) limits: Limits,
}

/// One source, whatever the secret.
struct OneSource(Arc<MssqlSource>);

#[async_trait]
impl Sources for OneSource {
    async fn source(&self, _secret: &str) -> Result<Arc<dyn Source>, PortError> {
        Ok(Arc::<MssqlSource>::clone(&self.0))
    }
}

impl Rig {
    /// Staging and evidence in memory, the warehouse in a folder.
    pub(crate) fn new(folder: &std::path::Path, limits: Limits) -> Self {
        Self {
            staging: store::memory(),
            evidence: store::memory(),
            warehouse: folder.to_str().unwrap().to_owned(),
            limits,
        }
    }

    /// The run that the month shows.
    pub(crate) fn month(&self, ipe: &Ipe) -> Option<String> {
        let (table, period) = (ipe.id.table_name(), "2024-04".parse().unwrap());
        let current = self.warehouse().current(&table, period).unwrap();
        current.map(|current| current.run_id.to_string())
    }

    pub(crate) fn warehouse(&self) -> LocalWarehouse {
        let root = store::open(&self.warehouse).unwrap();
        LocalWarehouse::new(&root, self.staging.clone()).unwrap()
    }

    /// Runs an item for 2024-04 against the server of a connection string.
    pub(crate) async fn run(&self, connection_string: &str, ipe: &Ipe) -> ItemOutcome {
        let warehouse = Arc::new(self.warehouse());
        self.run_into(warehouse, connection_string, ipe).await
    }

    /// The same into any warehouse.
    pub(crate) async fn run_into(
        &self,
        warehouse: Arc<dyn Warehouse>,
        connection_string: &str,
        ipe: &Ipe,
    ) -> ItemOutcome {
        let secret = Secret::new(connection_string.to_owned());
        let source = MssqlSource::new(&secret, self.limits.clone(), 1).unwrap();
        let tools = Tools {
            sources: Arc::new(OneSource(Arc::new(source))),
            warehouse,
            leases: Leases::within(&self.evidence),
            evidence: self.evidence.clone(),
            clock: Arc::new(SystemClock),
            processes: Arc::new(ProcProcesses),
            stop: CancellationToken::new(),
            progress: Arc::new(Silent),
            limits: self.limits.clone(),
            places: Places {
                staging: self.staging.uri.clone(),
                warehouse: "warehouse".into(),
                secrets: "test".into(),
                host: "test".into(),
                caller: None,
                endpoints: Vec::new(),
                leases: None,
            },
            staging: self.staging.clone(),
        };
        let started_at = SystemClock.now();
        let context = RunContext {
            run_id: RunId::new(started_at, rand::random()),
            period: "2024-04".parse().unwrap(),
            started_at,
            accepted: Vec::new(),
            stamps: Vec::new(),
            program: Program {
                version: "t".into(),
                commit: "t".into(),
                dirty: false,
                binary_sha256: "t".into(),
            },
        };
        run_ipe(&tools, &context, ipe).await
    }
}
