//! The bare journey of an item, the same with its proofs, and its whole run, from the same source.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::mssql::MssqlSource;
use soxauto::adapters::store;
use soxauto::app::App;
use soxauto::catalog::Definitions;
use soxauto::domain::ids::IpeId;
use soxauto::domain::ipe::Ipe;
use soxauto::domain::limits::Limits;
use soxauto::domain::manifest::PartFile;
use soxauto::domain::period::Period;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::run::ItemStatus;
use soxauto::kernels::conform::Conform;
use soxauto::pipeline::extract::{Destination, RowFold, SecondPath, extract};
use soxauto::pipeline::progress::{KeysExamined, Progress, Silent, Stage};
use soxauto::pipeline::stage::{PartEncoder, PartLayout, part_path, provenance, store_part};
use soxauto::ports::{
    BatchStream, LoadJob, ReadBack, Secret, Snapshot, Source as _, StoreRoot, Warehouse as _,
};
use soxauto::settings::{
    GoogleSettings, RunSettings, SecretsChoice, SourceSettings, WarehouseChoice,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::common::context;
use super::narrow;
use super::stand_in::StandIn;

/// How long one took.
pub(crate) struct Tour {
    pub(crate) elapsed: Duration,
    /// Its steps, in order.
    pub(crate) steps: Vec<(&'static str, Duration)>,
    /// Its roots.
    dir: TempDir,
}

/// Notes when each step begins.
#[derive(Default)]
struct Steps(Mutex<Vec<(&'static str, Instant)>>);

impl Steps {
    fn begin(&self, step: &'static str) {
        self.0.lock().unwrap().push((step, Instant::now()));
    }

    /// Ends the tour; the last step ends now.
    fn tour(&self, dir: TempDir) -> Tour {
        let (mut steps, mut end) = (Vec::new(), Instant::now());
        let begun = std::mem::take(&mut *self.0.lock().unwrap());
        let elapsed = end - begun.first().unwrap().1;
        for (step, begin) in begun.into_iter().rev() {
            steps.push((step, end - begin));
            end = begin;
        }
        steps.reverse();
        Tour {
            elapsed,
            steps,
            dir,
        }
    }
}

impl Progress for Steps {
    fn stage(&self, _ipe: &IpeId, stage: Stage) {
        self.begin(stage.word());
    }
    fn expected(&self, _ipe: &IpeId, _rows: u64) {}
    fn rows(&self, _ipe: &IpeId, _rows: u64) {}
    fn keys(&self, _ipe: &IpeId, _found: KeysExamined) {}
    fn finished(&self, _ipe: &IpeId, _status: ItemStatus) {}
}

/// An open source with its rows on their way.
struct Opened {
    view: Box<dyn Snapshot>,
    stream: BatchStream,
    conform: Conform,
    layout: PartLayout,
}

/// The source, the item and where its files are.
pub(crate) struct Tours {
    stand_in: StandIn,
    files: TempDir,
    item: Ipe,
    period: Period,
    rows: u64,
}

fn root(dir: &Path, name: &str) -> StoreRoot {
    store::open(dir.join(name).to_str().unwrap()).unwrap()
}

fn warehouse(dir: &Path) -> LocalWarehouse {
    LocalWarehouse::new(&root(dir, "warehouse"), root(dir, "staging")).unwrap()
}

/// Conforms and encodes on a blocking thread, and stores beside it, as the run does.
async fn stage(
    mut stream: BatchStream,
    conform: Conform,
    layout: PartLayout,
    (staging, path): (&StoreRoot, impl Fn(usize) -> String),
) -> Vec<PartFile> {
    let (finished, mut parts) = mpsc::channel(1);
    let encoding = spawn_blocking(move || {
        let mut encoder = PartEncoder::new(layout).unwrap();
        while let Some(batch) = stream.batches.blocking_recv() {
            let batch = conform.conform(&batch.unwrap()).unwrap();
            if let Some(part) = encoder.push(&batch).unwrap() {
                finished.blocking_send(part).unwrap();
            }
        }
        finished
            .blocking_send(encoder.finish().unwrap().unwrap())
            .unwrap();
    });
    let mut files = Vec::new();
    while let Some(part) = parts.recv().await {
        files.push(store_part(staging, &path(files.len()), part).await.unwrap());
    }
    encoding.await.unwrap();
    files
}

impl Tours {
    /// Starts the stand-in.
    pub(crate) fn new(rows: u64) -> Self {
        let files = tempfile::tempdir().unwrap();
        narrow::write(files.path());
        let catalog = Definitions::read(files.path()).unwrap().catalog().unwrap();
        let item = catalog.select(&[]).unwrap().remove(0).clone();
        let stand_in = StandIn::start(rows);
        // A file beside the item's folder, which the catalog does not look at.
        std::fs::write(files.path().join(&item.secret), &stand_in.connection_string).unwrap();
        Self {
            stand_in,
            files,
            item,
            period: context().period,
            rows,
        }
    }

    /// Rows off the wire, staged and loaded; nothing is asked before and nothing is looked at.
    pub(crate) async fn bare(&self) -> Tour {
        let (dir, steps) = (tempfile::tempdir().unwrap(), Steps::default());
        let opened = self.open(&steps).await;
        steps.begin("extract");
        let staging = root(dir.path(), "staging");
        let (item, run_id) = (&self.item, context().run_id);
        let path = |index| part_path(&item.id, self.period, &run_id, index);
        let (conform, layout) = (opened.conform, opened.layout);
        let parts = stage(opened.stream, conform, layout, (&staging, path)).await;
        opened.view.close().await.unwrap();
        self.load(&dir, &steps, parts).await;
        steps.tour(dir)
    }

    /// The bare journey with what proves that nothing was lost on it: every row is folded and computed again from the
    /// staged bytes, and the loaded month is read back. Still nothing is asked of the source before, and no check is made.
    pub(crate) async fn proven(&self) -> Tour {
        let (dir, steps) = (tempfile::tempdir().unwrap(), Steps::default());
        let opened = self.open(&steps).await;
        steps.begin("extract");
        let contract = &self.item.contract;
        let rows_max = Limits::default().recheck_rows_max;
        let fold = RowFold::new(contract, opened.conform, opened.layout).unwrap();
        let second = SecondPath::new(Arc::new(contract.clone()), rows_max);
        let to = Destination {
            staging: root(dir.path(), "staging"),
            ipe: self.item.id.clone(),
            period: self.period,
            run_id: context().run_id,
        };
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let extracted = extract(opened.stream, fold, second, &to, &silent).await;
        let extracted = extracted.unwrap();
        opened.view.close().await.unwrap();
        assert_eq!(extracted.staged.digest, extracted.recomputed.digest);
        let warehouse = self.load(&dir, &steps, extracted.staged.parts).await;
        steps.begin("verify");
        let table = self.item.id.table_name();
        let found = warehouse.read_back(&table, self.period, contract, rows_max);
        assert_eq!(found.await.unwrap().recomputed, extracted.recomputed);
        steps.tour(dir)
    }

    /// Opens the source; the rows are on their way.
    async fn open(&self, steps: &Steps) -> Opened {
        let (item, limits, context) = (&self.item, Limits::default(), context());
        steps.begin("open");
        let secret = Secret::new(self.stand_in.connection_string.clone());
        let source = MssqlSource::new(&secret, limits.clone(), 1).unwrap();
        let mut view = source.open(&item.databases).await.unwrap();
        let query = item.query.bind(self.period).unwrap();
        let columns = view.describe(&query).await.unwrap().columns;
        let metadata = context.row_metadata(&item.id);
        let conform = Conform::new(&item.contract, &columns, &metadata, limits.batch_rows_max);
        let conform = conform.unwrap();
        let footer = provenance(&context, &item.id, &item.contract, &item.definition_sha256);
        let layout = PartLayout::new(conform.schema(), footer, &limits);
        let stream = view.stream(&query, &columns, &limits).await.unwrap();
        Opened {
            view,
            stream,
            conform,
            layout,
        }
    }

    /// Loads the staged parts as the month.
    async fn load(&self, dir: &TempDir, steps: &Steps, parts: Vec<PartFile>) -> LocalWarehouse {
        steps.begin("load");
        let (warehouse, table) = (warehouse(dir.path()), self.item.id.table_name());
        let contract = &self.item.contract;
        warehouse.prepare(&table, contract).await.unwrap();
        let job = LoadJob {
            table,
            period: self.period,
            metadata: context().row_metadata(&self.item.id),
            parts,
            fence: None,
        };
        let receipt = warehouse.load(&job).await.unwrap();
        assert_eq!(receipt.output_rows, self.rows);
        warehouse
    }

    /// The run as the program makes it.
    pub(crate) async fn whole(&self) -> Tour {
        let (dir, steps) = (tempfile::tempdir().unwrap(), Arc::new(Steps::default()));
        let root = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        steps.begin("begin");
        let settings = RunSettings {
            period: Some(self.period),
            preliminary: false,
            accepted: Vec::new(),
            witnesses: Vec::new(),
            files: Vec::new(),
            items: Vec::new(),
            jobs: 1,
            staging: root("staging"),
            warehouse: WarehouseChoice::Local(root("warehouse")),
            evidence: root("evidence"),
            leases: None,
            catalog: Some(self.files.path().to_owned()),
            source: SourceSettings {
                secrets: SecretsChoice::File(self.files.path().to_owned()),
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
            limits: Limits::default(),
        };
        let listener: Arc<dyn Progress> = Arc::<Steps>::clone(&steps);
        let app = App::build(settings, listener).await.unwrap();
        let result = app.run().await.unwrap();
        let item = result.ipe_results.values().next().unwrap();
        assert_eq!(item.status, ItemStatus::Success);
        assert!(item.manifest_sha256.is_some(), "it is sealed");
        assert_eq!(item.rows_extracted, self.rows);
        steps.tour(dir)
    }

    /// Proves that all load the same rows, cut into the same files.
    pub(crate) async fn load_the_same(&self) {
        let whole = self.loaded(&self.whole().await).await;
        for tour in [self.bare().await, self.proven().await] {
            let loaded = self.loaded(&tour).await;
            assert_eq!(loaded.0.recomputed, whole.0.recomputed);
            assert_eq!(loaded.1, whole.1);
        }
    }

    /// What a tour loaded: its content, and the rows of its files.
    async fn loaded(&self, tour: &Tour) -> (ReadBack, Vec<u64>) {
        let (warehouse, table) = (warehouse(tour.dir.path()), self.item.id.table_name());
        let rows_max = Limits::default().recheck_rows_max;
        let contract = &self.item.contract;
        let content = warehouse.read_back(&table, self.period, contract, rows_max);
        let current = warehouse.current(&table, self.period).unwrap().unwrap();
        let rows = current.files.iter().map(|file| file.rows).collect();
        (content.await.unwrap(), rows)
    }
}
