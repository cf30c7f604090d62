//! What must hold after every step of a schedule, and at its end; a sentence says what does not.

use std::collections::{BTreeMap, BTreeSet};

use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::record::ItemRecord;
use soxauto::ports::Warehouse as _;

use super::brisk;
use super::world::World;
use crate::chaos::judge::{Verdict, hold, leases};
use crate::chaos::source::{item, rows_of};
use crate::evidence::sample::period;

/// What was seen earlier.
#[derive(Default)]
pub(super) struct Judge {
    /// The run that the month shows; 0 before the first load.
    pub(super) shown: u32,
    /// Its place in the line of those that held the lease.
    place: u64,
    /// Runs that the month showed at any time.
    ever: BTreeSet<u32>,
    /// Runs that say that they loaded nothing.
    denied: BTreeSet<u32>,
    /// Runs that do nothing more and did not seal: killed, or cut off from the bucket.
    silent: BTreeSet<u32>,
    /// Objects of all buckets, with their generations.
    objects: BTreeMap<String, u64>,
}

impl Judge {
    /// A run does nothing more.
    pub(super) fn killed(&mut self, run: u32) {
        self.silent.insert(run);
    }

    /// The buckets, the month, and what a run said that has just ended.
    pub(super) async fn look(
        &mut self,
        world: &World,
        ended: Option<(u32, &ItemOutcome)>,
    ) -> Verdict {
        self.kept(world.objects())?;
        let leases = leases(world.leases.root()).await;
        self.month(world, &leases).await?;
        if let Some((run, outcome)) = ended {
            self.said(run, outcome, &leases)?;
        }
        let shown = self.shown;
        hold(!self.denied.contains(&shown), || {
            format!("run {shown} denies what the month shows")
        })
    }

    /// At the end, after a run that met no fault.
    pub(super) async fn close(&mut self, world: &World) -> Verdict {
        self.look(world, None).await?;
        counted(world).await?;
        self.last_words(world).await?;
        let holder = world.holder().await;
        hold(holder.is_none(), || {
            format!("{holder:?} has ended and still holds the month")
        })
    }

    /// What was created once is never replaced and never taken away.
    fn kept(&mut self, now: BTreeMap<String, u64>) -> Verdict {
        for (name, generation) in &self.objects {
            hold(now.get(name) == Some(generation), || {
                format!("object {name} was replaced or deleted")
            })?;
        }
        self.objects = now;
        Ok(())
    }

    /// One whole run or none; never one that stood before the run shown earlier.
    async fn month(&mut self, world: &World, leases: &BTreeMap<u64, String>) -> Verdict {
        let shown = world.shown().await?;
        let run = (1..=world.runs).find(|run| World::run_id(*run) == shown);
        let run = run.unwrap_or_default();
        let place = place_of(leases, run);
        hold(run == 0 || place > 0, || {
            format!("the month shows run {run}, which never held the lease")
        })?;
        let before = (self.shown, self.place);
        (self.shown, self.place) = (run, place);
        self.ever.insert(run);
        hold(place >= before.1, || {
            format!("the month went back from run {} to {run}", before.0)
        })?;
        let dropped = world.jobs.service.dropped();
        hold(dropped <= 1, || format!("{dropped} tables were dropped"))
    }

    /// A run that ended is sealed or says that it is not, and one that did not succeed says what to do.
    fn said(&mut self, run: u32, outcome: &ItemOutcome, leases: &BTreeMap<u64, String>) -> Verdict {
        let record = &outcome.record;
        let error = record.error.as_deref().unwrap_or_default();
        if outcome.package.is_none() {
            hold(error.contains("could not be sealed"), || {
                format!("run {run} is not sealed and does not say so: {error}")
            })?;
            self.silent.insert(run);
        }
        match record.status {
            // One that slept after its count was replaced by rights.
            ItemStatus::Success if self.ever.contains(&run) => return Ok(()),
            // One that slept between its load and its count says who came after it.
            ItemStatus::Failed if is_superseded(record) && self.place > place_of(leases, run) => {
                return Ok(());
            }
            ItemStatus::Error if has_remedy(error) => {}
            status => return Err(format!("run {run} ended {status:?}: {error}")),
        }
        if record.receipt.is_none() && record.submitted.is_none() {
            self.denied.insert(run);
        }
        Ok(())
    }

    /// Every package verifies, every run that held the lease has one, and none denies what the month showed.
    async fn last_words(&self, world: &World) -> Verdict {
        let (sealed, staged) = (world.sealed().await, world.staged().await);
        let leases = leases(world.leases.root()).await;
        for folder in &sealed {
            world.verify(folder).await?;
        }
        for run in 1..=world.runs {
            let id = World::run_id(run);
            let own = sealed.iter().filter(|folder| folder.contains(&id));
            let own: Vec<&String> = own.collect();
            // Of one that ended before it held the lease nobody can know, and need not.
            let did_nothing = place_of(&leases, run) == 0 && !staged.contains_key(&id);
            hold(!own.is_empty() || did_nothing, || {
                format!("run {run} has no last word")
            })?;
            if !self.silent.contains(&run) || !self.ever.contains(&run) {
                continue;
            }
            for folder in own {
                let record = world.record(folder).await;
                hold(
                    record.receipt.is_some() || record.submitted.is_some(),
                    || format!("{folder} denies that the month showed run {run}"),
                )?;
            }
        }
        Ok(())
    }
}

/// The rows of the month, counted in the warehouse, are those of the last run and no others.
async fn counted(world: &World) -> Verdict {
    let (item, warehouse) = (item(), world.jobs.warehouse(brisk()));
    let table = item.id.table_name();
    let found = warehouse.read_back(&table, period(), &item.contract, 100);
    let found = found.await.map_err(|error| error.to_string())?.run_ids;
    let rows = u64::from(rows_of(world.runs));
    let rows = BTreeMap::from([(World::run_id(world.runs), rows)]);
    hold(found == rows, || {
        format!("the month has {found:?}, not {rows:?}")
    })
}

/// The place of a run in the line, from 1; 0 for one that never held the lease.
fn place_of(leases: &BTreeMap<u64, String>, run: u32) -> u64 {
    let own = World::run_id(run);
    let held = leases.iter().find(|(_, holder)| **holder == own);
    held.map_or(0, |(place, _)| *place)
}

fn is_superseded(record: &ItemRecord) -> bool {
    let mut findings = record.verification.iter().flat_map(|check| &check.findings);
    record.receipt.is_some() && findings.any(|finding| finding.contains("superseded by run"))
}

fn has_remedy(error: &str) -> bool {
    let hint = error.split_once("hint: ");
    hint.is_some_and(|(_, hint)| !hint.trim().is_empty())
}

/// The mutations: the judge sees each.
mod mutations {
    use std::fs;
    use std::sync::Arc;

    use bytes::Bytes;
    use object_store::ObjectStoreExt as _;
    use object_store::path::Path;

    use super::super::super::fakes::server::{Fault, Gate, When};
    use super::super::world::{BELOW, MONTH};
    use super::*;

    /// So many runs that met no fault, each looked at.
    async fn after(runs: u32) -> (World, Judge) {
        let (mut world, mut judge) = (World::start(true).await, Judge::default());
        for run in 1..=runs {
            let outcome = world.run().await;
            assert_eq!(judge.look(&world, Some((run, &outcome))).await, Ok(()));
        }
        assert_eq!(judge.close(&world).await, Ok(()));
        (world, judge)
    }

    fn sees(verdict: Verdict, what: &str) {
        let said = verdict.unwrap_err();
        assert!(said.contains(what), "`{what}` is not said: {said}");
    }

    #[tokio::test]
    async fn a_second_copy_a_missing_part_a_mixture_and_a_month_that_goes_back_are_seen() {
        let (world, mut judge) = after(2).await;
        let parts = world.staged().await;
        let of = |run: u32| parts[&World::run_id(run)].clone();
        assert_eq!(of(2).len(), 3, "each row is a part");
        let show = |parts: Vec<String>| world.jobs.service.show(MONTH, parts);
        show([of(2), of(2)].concat());
        sees(judge.look(&world, None).await, "no whole run");
        sees(counted(&world).await, "6}, not");
        show(of(2)[1..].to_vec());
        sees(judge.look(&world, None).await, "no whole run");
        sees(counted(&world).await, "2}, not");
        show([of(1), of(2)].concat());
        sees(judge.look(&world, None).await, "no whole run");
        sees(counted(&world).await, "the month has");
        show(of(1));
        let back = judge.look(&world, None).await;
        sees(back, "went back from run 2 to 1");
    }

    #[tokio::test]
    async fn a_denial_of_what_the_month_shows_is_seen() {
        let (mut world, mut judge) = after(1).await;
        // The second run loses sight of its load, and does not say that it had begun one.
        let looks = [
            vec![Fault::Served; 2],
            vec![Fault::Error(403, "PERMISSION_DENIED")],
        ]
        .concat();
        let line = "GET /bigquery/v2/projects/test-project/jobs/soxauto_load_";
        world.jobs.fake.plan(line, looks);
        let mut outcome = world.run().await;
        world.jobs.fake.assert_spent();
        assert!(outcome.record.submitted.take().is_some(), "{outcome:#?}");
        assert_eq!(judge.look(&world, Some((2, &outcome))).await, Ok(()));
        world.jobs.service.end_jobs();
        sees(judge.look(&world, None).await, "run 2 denies");
    }

    #[tokio::test]
    async fn an_object_that_was_changed_replaced_or_deleted_is_seen() {
        let (world, mut judge) = after(1).await;
        let (buckets, sealed) = (&world.jobs.google.buckets, world.sealed().await);
        let page = format!("{}/data/summary.md", sealed.first().unwrap());
        let file = buckets.file("evidence", &format!("{BELOW}/{page}"));
        let good = fs::read(&file).unwrap();
        fs::write(&file, "other").unwrap();
        sees(judge.close(&world).await, "does not verify");
        fs::write(&file, good).unwrap();
        assert_eq!(judge.close(&world).await, Ok(()));

        let ended = "runs/IPE_07/period=2024-04/000001/ended.json";
        let ended = Path::parse(ended).unwrap();
        let mut other = Judge::default();
        assert_eq!(other.look(&world, None).await, Ok(()));
        world.leases.root().store.delete(&ended).await.unwrap();
        sees(other.look(&world, None).await, "was replaced or deleted");

        let mut other = Judge::default();
        assert_eq!(other.look(&world, None).await, Ok(()));
        buckets.careless();
        let bytes = Bytes::from_static(b"other");
        world.evidence.create(&page, bytes).await.unwrap();
        sees(other.look(&world, None).await, "was replaced or deleted");
    }

    #[tokio::test]
    async fn a_lease_that_is_not_given_back_is_seen() {
        let (mut world, mut judge) = after(1).await;
        let no = Fault::Error(403, "forbidden");
        world.jobs.google.fake.plan("/ended.json", [no]);
        let second = world.run().await;
        world.jobs.google.fake.assert_spent();
        assert_eq!(judge.look(&world, Some((2, &second))).await, Ok(()));
        sees(judge.close(&world).await, "still holds the month");
        let third = world.run().await;
        assert_eq!(judge.look(&world, Some((3, &third))).await, Ok(()));
        assert_eq!(judge.close(&world).await, Ok(()));
    }

    #[tokio::test]
    async fn a_dead_run_that_nobody_speaks_for_or_whose_load_is_denied_is_seen() {
        let (mut world, mut judge) = after(1).await;
        let gate = Arc::new(Gate::default());
        let held = Fault::Held(Arc::clone(&gate), When::BeforeServing);
        world.jobs.google.fake.plan(".parquet", [held]);
        let second = world.begin(brisk());
        gate.reached().await;
        second.kill().await;
        judge.killed(2);
        assert_eq!(judge.look(&world, None).await, Ok(()));
        sees(judge.last_words(&world).await, "run 2 has no last word");
        world.seen_gone(2);
        let third = world.run().await;
        assert_eq!(judge.look(&world, Some((3, &third))).await, Ok(()));
        assert_eq!(judge.close(&world).await, Ok(()));
        // It died before its load; had the month shown it, its package would deny that.
        judge.ever.insert(2);
        sees(judge.close(&world).await, "denies that the month showed");
    }

    #[tokio::test]
    async fn an_error_without_a_remedy_and_a_silent_loss_of_the_package_are_seen() {
        let (mut world, mut judge) = after(1).await;
        let no = Fault::Error(403, "forbidden");
        world.jobs.google.fake.plan(BELOW, [no]);
        let mut second = world.run().await;
        assert_eq!(judge.look(&world, Some((2, &second))).await, Ok(()));
        for empty in ["it broke", "it broke\nhint: "] {
            second.record.error = Some(empty.to_owned());
            let said = judge.look(&world, Some((2, &second))).await;
            sees(said, "run 2 ended Error: it broke");
        }
        second.record.error = Some("it broke\nhint: run again".to_owned());
        assert_eq!(judge.look(&world, Some((2, &second))).await, Ok(()));
        second.package = None;
        let said = judge.look(&world, Some((2, &second))).await;
        sees(said, "is not sealed and does not say so");
    }
}
