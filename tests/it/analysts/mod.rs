//! Those who look: `inspect`, `sql`, and other people's readers over the staged files.

mod clients;
mod inspect;
mod sql;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use crate::cli::{Said, Shell};
use crate::evidence::world::World;

/// The sample item, staged, loaded and sealed; and a shell whose roots are set by the environment.
pub(crate) struct Desk {
    pub(crate) world: World,
    shell: Shell,
}

impl Desk {
    /// `note` is marked personal in the record.
    pub(crate) async fn new(rows: i32) -> Self {
        let mut world = World::run(rows).await;
        let columns = &mut world.record.contract.columns;
        columns
            .iter_mut()
            .find(|c| c.name == "note")
            .unwrap()
            .personal = true;
        world.seal(&world.record).await;
        Self {
            world,
            shell: Shell::new(),
        }
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.world.dir.path().join(name)
    }

    pub(crate) fn ask(&self, args: &[&str]) -> Said {
        let roots = ["staging", "warehouse", "evidence"]
            .map(|name| self.folder(name).to_str().unwrap().to_owned());
        let [staging, warehouse, evidence] = roots.each_ref().map(String::as_str);
        let environment = [
            ("SOXAUTO_STAGING", staging),
            ("SOXAUTO_WAREHOUSE", warehouse),
            ("SOXAUTO_EVIDENCE", evidence),
        ];
        self.shell.run_with(args, &environment)
    }

    /// The answer of a command that must succeed.
    pub(crate) fn out(&self, args: &[&str]) -> String {
        let said = self.ask(args);
        assert_eq!(said.code, 0, "{args:?}: {}{}", said.out, said.err);
        said.out
    }

    /// The answer of `inspect … --json`.
    pub(crate) fn look(&self, args: &[&str]) -> Value {
        let out = self.out(&[&["inspect", "--json"], args].concat());
        serde_json::from_str(&out).unwrap()
    }

    /// A refusal: exit code 2, nothing on stdout, one line and at most a hint on stderr.
    pub(crate) fn refused(&self, args: &[&str], part: &str) {
        let said = self.ask(args);
        assert_eq!(said.code, 2, "{args:?}: {}{}", said.out, said.err);
        assert_eq!(said.out, "", "{args:?}");
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
        assert!(said.err.starts_with("error: "), "{}", said.err);
        let lines: Vec<&str> = said.err.lines().collect();
        let hints = lines
            .iter()
            .filter(|line| line.starts_with("hint: "))
            .count();
        assert!(lines.len() == 1 + hints && hints < 2, "{}", said.err);
    }

    /// The name of the run, `ITEM@RUN`.
    pub(crate) fn run(&self) -> String {
        let record = &self.world.record;
        format!("{}@{}", record.ipe, record.context.run_id)
    }

    /// Sum of an amount over all companies, as the record has it.
    pub(crate) fn recorded_sum(&self, name: &str) -> String {
        let totals = &self.world.record.staged.as_ref().unwrap().totals;
        let place = totals
            .amounts
            .iter()
            .position(|amount| amount == name)
            .unwrap();
        let mut sums = totals.groups.values().map(|group| group.sums[place]);
        let first = sums.next().unwrap();
        sums.fold(first, |sum, next| sum.checked_add(next).unwrap())
            .to_string()
    }
}

pub(crate) const TABLE: &str = "pg01_validated_ipe_ipe_07";
pub(crate) const MONTH: &str = "pg01_validated_ipe_ipe_07$202404";

/// The column of that name in the output of `inspect --json`.
pub(crate) fn column<'a>(found: &'a Value, name: &str) -> &'a Value {
    let columns = found["columns"].as_array().unwrap();
    columns
        .iter()
        .find(|column| column["name"] == name)
        .unwrap()
}

/// Largest and smallest amounts of 38 digits, two of each, in a file that is not ours.
pub(crate) fn widest(path: &Path) {
    let top = 10_i128.pow(38) - 1;
    let amounts =
        Decimal128Array::from(vec![Some(top), Some(-top), None, Some(top), Some(1 - top)]);
    let amounts: ArrayRef = Arc::new(amounts.with_precision_and_scale(38, 20).unwrap());
    let sides: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 2, 1, 2]));
    let batch = RecordBatch::try_from_iter([("amount", amounts), ("side", sides)]).unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
