//! What is an orphan: every rule, over names, sizes, times, leases and records. Changes no file.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::ground::Ground;
use super::lease::{self, Holders};
use super::sealed::{Sealed, sealed};
use super::walk::{FileAt, RunFolder, leased_month};
use super::{CleanReport, CleanTools, Orphan, OrphanKind};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::pipeline::keys::sidecar_path;
use crate::pipeline::package::{BAG_INFO, BAGIT};
use crate::ports::{Leftover, PortError, Stored};
use crate::report::published::TABLES;

/// Whether a run has finished with what it wrote.
enum Word {
    /// It has ended or died.
    Over,
    AtWork(String),
    Unknown(String),
}

pub(super) struct Judge {
    pub(super) report: CleanReport,
    months: BTreeMap<(IpeId, Period), Result<Holders, String>>,
    sealed: Sealed,
    /// Paths of parts and sidecars that sealed packages name.
    named: BTreeSet<String>,
    /// What was written after this may be the work of a run that has no lease yet.
    young_since: DateTime<Utc>,
}

impl Judge {
    /// Reads leases, then packages.
    pub(super) async fn new(
        tools: &CleanTools,
        written: &[&FileAt],
        leftovers: &[&Leftover],
    ) -> Result<Self, PortError> {
        let of_runs = written.iter().filter_map(|file| RunFolder::of(file.path()));
        let of_runs = of_runs.map(|run| (run.ipe, run.period));
        let of_leases = written.iter().filter_map(|file| leased_month(file.path()));
        let of_tables = leftovers
            .iter()
            .filter_map(|left| Some((IpeId::of_table(&left.table)?, left.period?)));
        let wanted: BTreeSet<_> = of_runs.chain(of_leases).chain(of_tables).collect();
        let (clock, processes) = (&tools.clock, &tools.processes);
        let mut months = BTreeMap::new();
        for (ipe, period) in wanted {
            let month = (&ipe, period);
            let found = lease::holders(&tools.leases, month, clock, processes, &tools.limits);
            let found = found.await.map_err(|error| error.to_string());
            months.insert((ipe, period), found);
        }
        let mut report = CleanReport::default();
        let sealed = sealed(tools, &mut report).await?;
        let records = sealed.values().flatten();
        let parts = records.flat_map(|record| record.staged.iter().flat_map(|s| &s.parts));
        let named = parts.flat_map(|part| [part.path.clone(), sidecar_path(&part.path)]);
        let expires = TimeDelta::from_std(tools.limits.lease_expires_after);
        Ok(Self {
            report,
            months,
            named: named.collect(),
            sealed,
            young_since: clock.now() - expires.unwrap_or(TimeDelta::MAX),
        })
    }

    /// Parts, sidecars and temporary files of runs that no package names.
    pub(super) fn staging(&mut self, root: &Ground, files: &[FileAt]) {
        for (run, files) in by_run(files) {
            let is_ours = |file: &&FileAt| {
                let name = file.path().rsplit('/').next().unwrap_or_default();
                let is_part = name.ends_with(".parquet") || name.ends_with(".keys");
                file.is_temporary() || (name.starts_with("part-") && is_part)
            };
            let files = files.into_iter().filter(is_ours);
            let files = files.filter(|file| !self.named.contains(file.path()));
            let files: Vec<Stored> = files.map(|file| file.stored.clone()).collect();
            if files.is_empty() {
                continue;
            }
            let why = match self
                .sealed
                .keys()
                .find(|sealed| sealed.run_id == run.run_id && sealed.ipe == run.ipe)
            {
                Some(_) => "the run has ended, and its sealed package does not name them",
                None => "the run has ended or died, and no sealed package names them",
            };
            let word = self.run(&run);
            let folder = Some(run.path.clone());
            let month = Some((run.ipe, run.period));
            self.put(
                word,
                orphan(
                    OrphanKind::Staged,
                    root,
                    (run.path, folder),
                    why,
                    files,
                    month,
                ),
            );
        }
    }

    /// Packages without a manifest, room set aside, temporary files.
    pub(super) fn evidence(&mut self, root: &Ground, files: &[FileAt]) {
        for (run, files) in by_run(files) {
            if self.sealed.contains_key(&run) {
                continue;
            }
            let inside = |file: &&FileAt| {
                let below = file.path().strip_prefix(&run.path).unwrap_or_default();
                let below = below.trim_start_matches('/');
                file.is_temporary()
                    || below.starts_with("data/")
                    || [BAGIT, BAG_INFO].contains(&below)
            };
            let files: Vec<&FileAt> = files.into_iter().filter(inside).collect();
            let Some(newest) = files.iter().map(|file| file.modified).max() else {
                continue;
            };
            let stored = files.iter().map(|file| file.stored.clone()).collect();
            let word = self.leased(&run.ipe, Some(run.period), &run.run_id, newest);
            let why = "the run ended or died before it wrote the manifest";
            let place = (run.path.clone(), Some(run.path));
            let month = Some((run.ipe, run.period));
            self.put(
                word,
                orphan(OrphanKind::UnsealedPackage, root, place, why, stored, month),
            );
        }
        self.loose(root, files);
    }

    /// Files of the evidence root, or of that of the leases, that lie in no package, and temporary ones in sealed packages.
    pub(super) fn loose(&mut self, root: &Ground, files: &[FileAt]) {
        for file in files {
            let stored = vec![file.stored.clone()];
            let place = (file.path().to_owned(), None);
            if let Some((ipe, run_id)) = reserve(file.path()) {
                let word = self.leased(&ipe, None, &run_id, file.modified);
                let why = "the run that set this room aside has ended or died";
                self.put(
                    word,
                    orphan(OrphanKind::Reserve, root, place, why, stored, None),
                );
            } else if file.is_temporary() {
                let run = RunFolder::of(file.path());
                let (month, word) = match run.map(|run| (self.sealed.contains_key(&run), run)) {
                    // It goes with its package.
                    Some((false, _)) => continue,
                    Some((true, run)) => {
                        let word =
                            self.leased(&run.ipe, Some(run.period), &run.run_id, file.modified);
                        (Some((run.ipe, run.period)), word)
                    }
                    None => {
                        let month = leased_month(file.path());
                        (month.clone(), self.nameless(month, file.modified))
                    }
                };
                let why = "a write that was cut off; the file itself was never shown";
                self.put(
                    word,
                    orphan(OrphanKind::Temporary, root, place, why, stored, month),
                );
            }
        }
    }

    /// Runs that no month shows or showed and no receipt names, and files that were being written.
    pub(super) fn warehouse(&mut self, root: &Ground, leftovers: &[&Leftover]) {
        for left in leftovers {
            // A folder that nothing was written into has its own age.
            let first = left.files.first().map_or(&left.path, |file| &file.path);
            let modified = root.folder().and_then(|folder| {
                let metadata = std::fs::symlink_metadata(folder.join(first)).ok()?;
                Some(DateTime::<Utc>::from(metadata.modified().ok()?))
            });
            let Some(ipe) = IpeId::of_table(&left.table) else {
                if TABLES.contains(&left.table.as_str()) {
                    self.published(root, left, modified);
                    continue;
                }
                let what = format!("{}: the table of no item", root.shown(&left.path));
                self.report.not_found_out.insert(what);
                continue;
            };
            let month = left.period.map(|period| (ipe, period));
            let (kind, why, folder, word) = match (&month, &left.run_id) {
                (Some((ipe, period)), Some(run_id)) => {
                    let run = RunFolder {
                        ipe: ipe.clone(),
                        period: *period,
                        run_id: run_id.clone(),
                        path: String::new(),
                    };
                    if self.is_loaded(&run) {
                        continue;
                    }
                    let why = "the month never showed this run, and no receipt of a sealed package names it";
                    let folder = Some(left.path.clone());
                    (OrphanKind::NeverShown, why, folder, self.run(&run))
                }
                _ => {
                    let why = "a write that was cut off; the file itself was never shown";
                    let word = self.nameless(month.clone(), modified.unwrap_or(self.young_since));
                    (OrphanKind::Temporary, why, None, word)
                }
            };
            let place = (left.path.clone(), folder);
            self.put(
                word,
                orphan(kind, root, place, why, left.files.clone(), month),
            );
        }
    }

    /// What a publication left that was cut off. Of one that the leases do not know its age alone says that it is over.
    fn published(&mut self, root: &Ground, left: &Leftover, modified: Option<DateTime<Utc>>) {
        let month = left.period.map(|period| (IpeId::of_published(), period));
        let modified = modified.unwrap_or(self.young_since);
        let word = match (&month, &left.run_id) {
            (Some((tables, period)), Some(run)) => {
                self.leased(tables, Some(*period), run, modified)
            }
            _ => self.nameless(month.clone(), modified),
        };
        let why = "a publication that was cut off; the month never showed it, and the next one makes all of it again";
        let (kind, folder) = match left.run_id {
            Some(_) => (OrphanKind::NeverShown, Some(left.path.clone())),
            None => (OrphanKind::Temporary, None),
        };
        let place = (left.path.clone(), folder);
        self.put(
            word,
            orphan(kind, root, place, why, left.files.clone(), month),
        );
    }

    fn is_loaded(&self, run: &RunFolder) -> bool {
        let records = self
            .sealed
            .iter()
            .filter(|(sealed, _)| is_same(sealed, run));
        records
            .into_iter()
            .any(|(_, record)| record.as_ref().is_some_and(|r| r.receipt.is_some()))
    }

    /// Of a run that has staged or loaded something, and therefore took the lease.
    fn run(&self, run: &RunFolder) -> Word {
        let packages = self
            .sealed
            .iter()
            .filter(|(sealed, _)| is_same(sealed, run));
        if packages.into_iter().any(|(_, record)| record.is_none()) {
            return Word::Unknown("the record of its package cannot be read".to_owned());
        }
        match self.months.get(&(run.ipe.clone(), run.period)) {
            Some(Err(error)) => Word::Unknown(error.clone()),
            Some(Ok(holders)) => match &holders.at_work {
                Some(at_work) => at_work_on(at_work, &run.ipe, run.period),
                None if holders.runs.contains(&run.run_id) => Word::Over,
                None => unknown_here(&run.run_id),
            },
            None => unknown_here(&run.run_id),
        }
    }

    /// Of a run that has written evidence; it may have been refused the lease, or be about to take it.
    fn leased(
        &self,
        ipe: &IpeId,
        period: Option<Period>,
        run_id: &RunId,
        newest: DateTime<Utc>,
    ) -> Word {
        let mut held_it = false;
        for ((_, month), found) in self.months.iter().filter(|((item, month), _)| {
            item == ipe && period.is_none_or(|period| period == *month)
        }) {
            match found {
                Err(error) => return Word::Unknown(error.clone()),
                Ok(holders) => {
                    // A package may be written in the name of a dead run, so a month that is held is left alone;
                    // room that was set aside is always one's own.
                    let by = holders.at_work.as_ref();
                    if let Some(by) = by.filter(|by| period.is_some() || *by == run_id) {
                        return at_work_on(by, ipe, *month);
                    }
                    held_it |= holders.runs.contains(run_id);
                }
            }
        }
        if held_it {
            Word::Over
        } else {
            self.old(newest)
        }
    }

    /// Of a file that names no run.
    fn nameless(&self, month: Option<(IpeId, Period)>, modified: DateTime<Utc>) -> Word {
        let Some((ipe, period)) = month else {
            return self.old(modified);
        };
        match self.months.get(&(ipe.clone(), period)) {
            Some(Err(error)) => Word::Unknown(error.clone()),
            Some(Ok(Holders {
                at_work: Some(by), ..
            })) => at_work_on(by, &ipe, period),
            Some(Ok(holders)) if !holders.runs.is_empty() => Word::Over,
            _ => self.old(modified),
        }
    }

    fn old(&self, modified: DateTime<Utc>) -> Word {
        if modified < self.young_since {
            return Word::Over;
        }
        let at = modified.format("%H:%M:%S UTC");
        Word::AtWork(format!("written at {at}, so its run may be at work"))
    }

    fn put(&mut self, word: Word, orphan: Orphan) {
        match word {
            Word::Over => self.report.orphans.push(orphan),
            Word::AtWork(why) => {
                self.report.at_work.insert(format!("{}: {why}", orphan.uri));
            }
            Word::Unknown(why) => {
                self.report
                    .not_found_out
                    .insert(format!("{}: {why}", orphan.uri));
            }
        }
    }
}

fn at_work_on(by: &RunId, ipe: &IpeId, period: Period) -> Word {
    Word::AtWork(format!("run {by} is at work on {ipe} {period}"))
}

fn unknown_here(run_id: &RunId) -> Word {
    Word::Unknown(format!(
        "the leases know no run {run_id}; name the evidence root in which it ran with --evidence"
    ))
}

fn is_same(sealed: &RunFolder, run: &RunFolder) -> bool {
    (&sealed.ipe, sealed.period, &sealed.run_id) == (&run.ipe, run.period, &run.run_id)
}

fn orphan(
    kind: OrphanKind,
    root: &Ground,
    (path, folder): (String, Option<String>),
    why: &str,
    files: Vec<Stored>,
    month: Option<(IpeId, Period)>,
) -> Orphan {
    Orphan {
        kind,
        uri: root.shown(&path),
        why: why.to_owned(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        root: root.clone(),
        folder,
        month,
    }
}

fn by_run(files: &[FileAt]) -> BTreeMap<RunFolder, Vec<&FileAt>> {
    let mut runs: BTreeMap<RunFolder, Vec<&FileAt>> = BTreeMap::new();
    for file in files {
        if let Some(run) = RunFolder::of(file.path()) {
            runs.entry(run).or_default().push(file);
        }
    }
    runs
}

/// Item and run of `.reserve-<item>-<run_id>` directly in the evidence root.
fn reserve(path: &str) -> Option<(IpeId, RunId)> {
    let (ipe, run_id) = path.strip_prefix(".reserve-")?.split_once('-')?;
    Some((ipe.parse().ok()?, run_id.parse().ok()?))
}
