//! What several tests need: stores that fail as real ones do, a small item, and other people's drivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::future::ready;
use futures::stream::{BoxStream, once};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use soxauto::catalog::Catalog;
use soxauto::domain::contract::{Column, ColumnType, Contract};
use soxauto::domain::ipe::Ipe;
use soxauto::domain::query::QueryFile;
use soxauto::ports::StoreRoot;

/// Names of all items of the catalog, in order.
pub(crate) fn items() -> Vec<String> {
    let catalog = Catalog::embedded().unwrap();
    catalog.items().map(|ipe| ipe.id.to_string()).collect()
}

/// Names of those that are asked of a server: all of a run that no file was said for.
pub(crate) fn asked() -> Vec<String> {
    let catalog = Catalog::embedded().unwrap();
    let asked = catalog.items().filter(|ipe| ipe.file.is_none());
    asked.map(|ipe| ipe.id.to_string()).collect()
}

/// A root in memory that is full after `bytes`.
pub(crate) fn small_disk(bytes: usize) -> StoreRoot {
    let free = AtomicUsize::new(bytes);
    let inner = StoreRoot {
        store: Arc::new(InMemory::new()),
        uri: "small:".into(),
    };
    gated(inner, move |size| take(&free, size))
}

/// A root in `folder` on a disk of its own of `bytes`: every file below counts, whoever wrote it.
pub(crate) fn small_folder(root: StoreRoot, folder: &std::path::Path, bytes: u64) -> StoreRoot {
    let folder = folder.to_owned();
    gated(root, move |size| {
        used(&folder) + u64::try_from(size).unwrap() <= bytes
    })
}

/// A root that takes `writes` objects more and then none.
pub(crate) fn cut_off(root: StoreRoot, writes: usize) -> StoreRoot {
    let left = AtomicUsize::new(writes);
    gated(root, move |_| take(&left, 1))
}

fn take(left: &AtomicUsize, some: usize) -> bool {
    let less = |left: usize| left.checked_sub(some);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

fn used(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.metadata().unwrap() {
            folder if folder.is_dir() => used(&entry.path()),
            file => file.len(),
        })
        .sum()
}

/// A root whose n-th operation (from 1) fails as a server does that answers 5xx: before it did anything, or, when the
/// reply is lost, after. The counter says how many operations there were.
pub(crate) fn failing(root: StoreRoot, nth: usize, lost: bool) -> (StoreRoot, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let gate = move |moment| {
        let number = match moment {
            Moment::Before(_) => counter.fetch_add(1, Ordering::SeqCst) + 1,
            Moment::After => counter.load(Ordering::SeqCst),
        };
        let strikes = number == nth && lost == matches!(moment, Moment::After);
        (!strikes)
            .then_some(())
            .ok_or("503 service unavailable".into())
    };
    (guarded(root, gate), count)
}

fn gated(root: StoreRoot, admits: impl Fn(usize) -> bool + Send + Sync + 'static) -> StoreRoot {
    guarded(root, move |moment| match moment {
        Moment::Before(Some(size)) if !admits(size) => {
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull).into())
        }
        _ => Ok(()),
    })
}

pub(crate) type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// A moment of an operation on a store.
#[derive(Clone, Copy)]
pub(crate) enum Moment {
    /// Before it, with the size of what it writes.
    Before(Option<usize>),
    /// It has done what it should.
    After,
}

type Gate = dyn Fn(Moment) -> std::result::Result<(), Refusal> + Send + Sync;

pub(crate) fn guarded(
    root: StoreRoot,
    gate: impl Fn(Moment) -> std::result::Result<(), Refusal> + Send + Sync + 'static,
) -> StoreRoot {
    StoreRoot {
        store: Arc::new(Gated {
            inner: root.store,
            gate: Box::new(gate),
        }),
        uri: root.uri,
    }
}

/// A store whose operations go wrong as those of real ones do.
struct Gated {
    inner: Arc<dyn ObjectStore>,
    gate: Box<Gate>,
}

impl Gated {
    fn pass(&self, moment: Moment) -> Result<()> {
        (self.gate)(moment).map_err(|source| Error::Generic {
            store: "gated",
            source,
        })
    }
}

impl std::fmt::Debug for Gated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gated")
    }
}

impl std::fmt::Display for Gated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gated")
    }
}

#[async_trait]
impl ObjectStore for Gated {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.pass(Moment::Before(Some(payload.content_length())))?;
        let done = self.inner.put_opts(at, payload, opts).await?;
        self.pass(Moment::After)?;
        Ok(done)
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }
    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.pass(Moment::Before(None))?;
        let got = self.inner.get_opts(at, options).await?;
        self.pass(Moment::After)?;
        Ok(got)
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let passed = self.pass(Moment::Before(None));
        match passed.and_then(|()| self.pass(Moment::After)) {
            Ok(()) => self.inner.list(prefix),
            Err(error) => once(ready(Err(error))).boxed(),
        }
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.pass(Moment::Before(None))?;
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A column that may be null and is no amount, named as its source names it.
pub(crate) fn contract_column(name: &str, sql_type: &str) -> Column {
    let sql_type = sql_type.parse().unwrap();
    Column {
        source: name.into(),
        name: name.into(),
        column_type: ColumnType::of(&sql_type).unwrap(),
        sql_type,
        nullable: true,
        amount: false,
        personal: false,
        description: String::new(),
    }
}

/// An item that `SELECT ledger` delivers, with the key company and entry_no.
pub(crate) fn ledger_item(columns: Vec<Column>) -> Ipe {
    Ipe {
        id: "IPE_07".parse().unwrap(),
        title: "t".into(),
        secret: "S".into(),
        databases: vec!["NAV".into()],
        contract: Contract {
            version: 1,
            columns,
            key: vec!["company".into(), "entry_no".into()],
            company: "company".into(),
        },
        query: QueryFile::parse("SELECT ledger").unwrap(),
        file: None,
        quality: soxauto::domain::quality::QualityRules::default(),
        population: None,
        witness: None,
        definition_sha256: "cd".repeat(32),
    }
}

/// The number that an environment variable says, if it is set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?.into_string().unwrap();
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// Plays one schedule after another for so many seconds, or as many as `SOXAUTO_FUZZ_SECONDS` says, the first by
/// `SOXAUTO_FUZZ_SEED`; how each is played again is printed before. `test` is a part of the test's name.
pub(crate) async fn schedules(test: &str, seconds: u64, play: impl AsyncFn(u64)) {
    let seconds = number("SOXAUTO_FUZZ_SECONDS").unwrap_or(seconds);
    let first = number("SOXAUTO_FUZZ_SEED").unwrap_or_else(rand::random);
    let begin = Instant::now();
    let mut seed = first;
    while seed == first || begin.elapsed() < Duration::from_secs(seconds) {
        println!("play it again with SOXAUTO_FUZZ_SEED={seed} scripts/test {test}");
        play(seed).await;
        seed = seed.wrapping_add(1);
    }
    let played = seed.wrapping_sub(first);
    println!("{test}: {played} schedules from seed {first}");
}

/// Runs a script of tests/clients with the Python of scripts/test and reads the last line that it prints.
#[cfg(feature = "sandbox")]
pub(crate) fn client(script: &str, arguments: Vec<String>) -> serde_json::Value {
    let python = std::env::var_os("SOXAUTO_TEST_PYTHON").expect(
        "SOXAUTO_TEST_PYTHON must name a Python with the clients of tests/clients; run scripts/test, which makes one",
    );
    let path = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = std::process::Command::new(python);
    command
        .arg(path)
        .args(arguments)
        .env("PYTHONIOENCODING", "utf-8");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}\n{text}");
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap()
}

/// Host, port, user, password and database of a connection string that `soxauto sandbox` printed.
#[cfg(feature = "sandbox")]
pub(crate) fn odbc_parts(odbc: &str) -> Vec<String> {
    let value = |name: &str| {
        let pair = odbc.split(';').find_map(|pair| pair.strip_prefix(name));
        let value = pair.unwrap_or_else(|| panic!("{name} in {odbc}"));
        value.trim_matches(['{', '}']).to_owned()
    };
    let server = value("SERVER=tcp:");
    let (host, port) = server.split_once(',').unwrap();
    let [user, password, database] = ["UID=", "PWD=", "DATABASE="].map(value);
    vec![host.into(), port.into(), user, password, database]
}
