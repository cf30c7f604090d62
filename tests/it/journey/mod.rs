//! Whole runs through the library on the embedded stand-in: what is left behind, and what must never be.

mod broken;
mod buried;
mod cleaned;
mod cleaned_tables;
mod disk;
mod expired;
pub(crate) mod killed;
mod losses;
mod matrix;
pub(crate) mod planted;
mod population;
mod privacy;
mod quality;
mod stopped;
pub(crate) mod storage;
mod whole;
mod witness;
mod writers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use soxauto::app::App;
use soxauto::domain::limits::Limits;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::workflow::{IpeResult, WorkflowResult};
use soxauto::sandbox::{Sandbox, SandboxConfig};
use soxauto::settings::{
    GoogleSettings, RunSettings, SecretsChoice, SourceSettings, WarehouseChoice,
};
use tempfile::TempDir;

/// A folder with the three roots and the secrets of one machine.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Settings for a run of one item against a server whose connection string lies in the secrets folder.
    pub(crate) fn settings(&self, item: &str) -> RunSettings {
        RunSettings {
            period: Some("2024-04".parse().unwrap()),
            preliminary: false,
            accepted: Vec::new(),
            witnesses: Vec::new(),
            files: Vec::new(),
            items: vec![item.to_owned()],
            jobs: 1,
            staging: self.path("staging"),
            warehouse: WarehouseChoice::Local(self.path("warehouse")),
            evidence: self.path("evidence"),
            leases: None,
            catalog: None,
            source: SourceSettings {
                secrets: SecretsChoice::File(self.dir.path().join("secrets")),
                sandbox_rows: None,
                sandbox_data: None,
                sandbox_plant: PlantProfile::Clean,
            },
            google: GoogleSettings::default(),
            drive: None,
            disk_is_memory: false,
            shard: None,
            alert_webhook: None,
            stamps: Vec::new(),
            limits: limits(),
        }
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn secret(&self, connection_string: &str) {
        self.secret_named("DB_CREDENTIALS_NAV_BI", connection_string);
    }

    pub(crate) fn secret_named(&self, name: &str, value: &str) {
        let dir = self.dir.path().join("secrets");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(name), value).unwrap();
    }

    /// Every text file below the folder, secrets aside.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect(self.dir.path(), &mut found);
        found
    }
}

fn collect(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("secrets") {
            collect(&path, found);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            found.push((
                path.to_str().unwrap().to_owned(),
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
        }
    }
}

fn limits() -> Limits {
    Limits {
        open_attempts_max: 2,
        open_backoff_first: std::time::Duration::from_millis(5),
        evidence_reserve_bytes: 64 << 10,
        ..Limits::default()
    }
}

async fn sandbox(config: SandboxConfig) -> Sandbox {
    Sandbox::start(SandboxConfig {
        rows: Some(2_000),
        ..config
    })
    .await
    .unwrap()
}

async fn run(settings: RunSettings) -> WorkflowResult {
    App::build(settings, Arc::new(Silent))
        .await
        .unwrap()
        .run()
        .await
        .unwrap()
}

/// Runs one item on a stand-in and gives its result.
async fn run_on(place: &Place, config: SandboxConfig, item: &str) -> IpeResult {
    let sandbox = sandbox(config).await;
    place.secret(&sandbox.odbc_connection_string());
    let result = run(place.settings(item)).await;
    sandbox.stop().await;
    result.ipe_results[item].clone()
}

/// The sealed package verifies: a failed run is sealed like a good one.
async fn assert_sealed(result: &IpeResult) {
    let evidence = result.evidence.as_deref().expect("every run is sealed");
    let report = soxauto::app::verify(evidence, None, None).await.unwrap();
    assert!(
        report.findings.is_empty() && report.not_run.is_empty(),
        "{report:#?}"
    );
}

/// Nothing was loaded, and the package says why.
async fn assert_held(result: &IpeResult, status: ItemStatus, place: &Place) {
    assert_eq!(result.status, status, "{result:#?}");
    assert_eq!(result.bigquery_table, None);
    let evidence = result.evidence.as_deref().expect("every run is sealed");
    let (_, below) = evidence.split_once("/evidence/").unwrap();
    let (item, below) = below.split_once('/').unwrap();
    let (period, _) = below.split_once('/').unwrap();
    let table = format!("pg01_validated_ipe_{}", item.to_lowercase());
    let current = place.path(&format!("warehouse/{table}/{period}/CURRENT"));
    assert!(!Path::new(&current).exists(), "{current}");
    assert_sealed(result).await;
}
