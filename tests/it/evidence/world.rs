//! One whole run of the sample item, staged, loaded, counted and recorded.

use bytes::Bytes;
use chrono::Duration;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::keys::KeyAudit;
use soxauto::domain::limits::Limits;
use soxauto::domain::manifest::Recomputed;
use soxauto::domain::query::QueryFile;
use soxauto::domain::run::{ItemStatus, RunState};
use soxauto::kernels::recheck::recheck_parts;
use soxauto::pipeline::package::{Outcome, VerifyReport, VerifyRequest, seal, verify_package};
use soxauto::pipeline::record::{Executed, ItemRecord, Places};
use soxauto::pipeline::stage::read_back;
use soxauto::pipeline::{check, findings, keys};
use soxauto::ports::{
    AccessEvidence, Consistency, DatabaseAccess, Described, StoreRoot, Warehouse,
};

use super::sample::{
    context, contract, definition, ipe, job, losses, period, source_columns, staged,
};

pub(crate) const LOG: &[u8] = b"{\"level\":\"INFO\",\"message\":\"staged part file\"}\n";

const QUERY: &str = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n\
    SELECT * FROM [ledger] WHERE [Posting Date] < @next_start\n";

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) staging: StoreRoot,
    pub(crate) evidence: StoreRoot,
    pub(crate) record: ItemRecord,
}

fn access() -> AccessEvidence {
    AccessEvidence {
        server: "fin-sql".into(),
        server_version: "16.0".into(),
        login: "reader".into(),
        isolation_level: "snapshot".into(),
        databases: vec![DatabaseAccess {
            name: "NAV".into(),
            snapshot_allowed: true,
            collation: "Latin1_General_CI_AS".into(),
            write_rights: Some(vec![]),
        }],
    }
}

/// The second path, on a blocking thread as in the pipeline: Polars refuses to run on an async one.
pub(crate) async fn second_path(parts: Vec<Bytes>) -> Recomputed {
    let work = move || recheck_parts(parts, &contract(), 512).unwrap();
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn places(staging: &StoreRoot, warehouse: &LocalWarehouse) -> Places {
    Places {
        staging: staging.uri.clone(),
        warehouse: warehouse.location(),
        secrets: "sandbox".into(),
        host: "host".into(),
        caller: None,
        endpoints: Vec::new(),
        leases: None,
    }
}

fn described() -> Described {
    Described {
        columns: source_columns(),
        by: "server".into(),
    }
}

fn executed() -> Executed {
    Executed {
        purpose: "rows".into(),
        query: QueryFile::parse(QUERY).unwrap().bind(period()).unwrap(),
    }
}

pub(crate) async fn key_audit(staging: &StoreRoot, record: &ItemRecord) -> KeyAudit {
    let parts = &record.staged.as_ref().unwrap().parts;
    let limits = Limits::default();
    keys::audit(staging, &record.contract, parts, &limits)
        .await
        .unwrap()
}

async fn part_bytes(staging: &StoreRoot, staged: &soxauto::domain::manifest::Staged) -> Vec<Bytes> {
    let mut bytes = Vec::new();
    for part in &staged.parts {
        bytes.push(read_back(staging, part).await.unwrap());
    }
    bytes
}

impl World {
    /// Runs the sample item; nothing is sealed yet.
    pub(crate) async fn run(rows: i32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| store::open(dir.path().join(name).to_str().unwrap()).unwrap();
        let [staging, evidence, loaded] = ["staging", "evidence", "warehouse"].map(open);
        let warehouse = LocalWarehouse::new(&loaded, staging.clone()).unwrap();
        let run = context(1);
        let staged = staged(&staging, &run, rows).await;
        let second = second_path(part_bytes(&staging, &staged).await).await;
        let table = ipe().table_name();
        warehouse.prepare(&table, &contract()).await.unwrap();
        let receipt = warehouse.load(&job(&run, &staged)).await.unwrap();
        let columns = contract();
        let counted = warehouse.read_back(&table, period(), &columns, 512).await;
        let counted = counted.unwrap();
        assert_eq!(counted.recomputed, second);
        let of_run = counted.run_ids.get(run.run_id.as_str()).copied();
        assert_eq!(of_run, (rows > 0).then_some(staged.rows()));
        assert_eq!(staged.digest, second.digest);
        assert_eq!(staged.totals, second.totals);
        let mut record = ItemRecord {
            ipe: ipe(),
            title: "Customer ledger | entries".into(),
            definition_sha256: definition(),
            places: places(&staging, &warehouse),
            state: RunState::Preliminary,
            status: ItemStatus::Success,
            error: None,
            started_at: run.started_at + Duration::seconds(1),
            ended_at: run.started_at + Duration::seconds(9),
            access: Some(access()),
            consistency: Some(Consistency::Snapshot),
            file: None,
            query_file: QUERY.into(),
            executed: vec![executed()],
            contract: contract(),
            described: Some(described()),
            source_totals: Some(staged.totals.clone()),
            source_totals_after: None,
            staged: Some(staged),
            recomputed: Some(second),
            nulls: Some(vec![]),
            quality_rules: soxauto::domain::quality::QualityRules::default(),
            quality: None,
            population: None,
            population_defined: false,
            witnesses: None,
            witnesses_defined: false,
            losses: Some(losses(&run, rows)),
            keys: None,
            checks: vec![],
            findings: vec![],
            submitted: None,
            receipt: Some(receipt),
            read_back: Some(counted.recomputed),
            differing_buckets: None,
            read_back_runs: Some(counted.run_ids),
            read_back_table: Some(counted.table),
            verification: vec![],
            context: run,
        };
        record.keys = Some(key_audit(&staging, &record).await);
        check_again(&mut record);
        Self {
            dir,
            staging,
            evidence,
            record,
        }
    }

    /// Seals a record and gives its package.
    pub(crate) async fn seal(&self, record: &ItemRecord) -> StoreRoot {
        let sealed = seal(&self.evidence, record, LOG).await.unwrap();
        let folder = sealed.uri.strip_prefix(&self.evidence.uri).unwrap();
        self.evidence.below(folder.trim_start_matches('/'))
    }

    /// Seals a record into an evidence root of its own and verifies it.
    pub(crate) async fn verdict(&self, record: &ItemRecord) -> VerifyReport {
        let fresh = Self {
            dir: tempfile::tempdir().unwrap(),
            staging: self.staging.clone(),
            evidence: store::memory(),
            record: record.clone(),
        };
        verify(&fresh.seal(record).await).await
    }
}

/// What the program itself would say of the values.
pub(crate) fn check_again(record: &mut ItemRecord) {
    record.checks = check::before_load(record);
    record.findings = findings::of(record);
    record.verification = check::after_load(record);
}

pub(crate) async fn verify(package: &StoreRoot) -> VerifyReport {
    verify_with(package, None, None).await
}

pub(crate) async fn verify_with(
    package: &StoreRoot,
    staging: Option<&StoreRoot>,
    manifest_sha256: Option<&str>,
) -> VerifyReport {
    let request = VerifyRequest {
        scratch: &soxauto::app::scratch,
        package,
        staging,
        open: &store::open_existing,
        manifest_sha256,
        limits: &Limits::default(),
    };
    verify_package(request).await
}

/// A report that found nothing and left nothing out.
pub(crate) fn assert_valid(report: &VerifyReport) {
    assert_eq!(report.findings, vec![]);
    assert_eq!(report.not_run, Vec::<String>::new());
    assert_eq!(report.outcome(), Outcome::Valid);
}

/// A report with at least one finding at the place.
pub(crate) fn assert_names(report: &VerifyReport, place: &str, why: &str) {
    let named = report
        .findings
        .iter()
        .any(|finding| finding.place.contains(place));
    assert!(named, "{why}: nothing names {place} in {report:#?}");
    assert_ne!(report.outcome(), Outcome::Valid);
}
