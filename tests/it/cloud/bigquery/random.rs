//! Random interleavings of whole runs, lost replies, refusals, kills and sleeps at any call to BigQuery, of jobs that end
//! with nobody looking, and of expiries: after every step the month is one whole run, and no package denies what it shows.
//! Time-boxed like the fuzz tests, by the same two variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::record::ItemRecord;

use super::super::fakes::server::{Fault, Gate, When};
use super::brisk;
use super::world::{MONTH, Running, World};
use crate::support::schedules;

/// Calls of a run that meets no fault, and some more.
const CALLS: usize = 26;
const ASLEEP_MAX: usize = 2;

/// A run whose request is kept back.
struct Sleeper {
    handle: Running,
    gate: Arc<Gate>,
}

/// The runs of a schedule, of which one moves at a time.
struct Schedule {
    world: World,
    asleep: BTreeMap<u32, Sleeper>,
    judge: Judge,
    story: Vec<String>,
}

/// What was seen earlier.
#[derive(Default)]
struct Judge {
    shown: u32,
    /// Runs that the month showed at any time.
    ever: BTreeSet<u32>,
    /// Runs that say that they loaded nothing.
    denied: Vec<u32>,
}

impl Judge {
    /// The month, and what a run said that has just ended.
    async fn look(
        &mut self,
        world: &World,
        ended: Option<(u32, &ItemOutcome)>,
    ) -> Result<(), String> {
        let hold = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
        let shown = world.shown().await?;
        let runs = 1..=world.runs;
        let shown = runs
            .clone()
            .find(|run| World::run_id(*run) == shown)
            .unwrap_or_default();
        let before = std::mem::replace(&mut self.shown, shown);
        self.ever.insert(shown);
        hold(
            shown >= before,
            format!("the month went back from run {before} to {shown}"),
        )?;
        let dropped = world.jobs.service.dropped();
        hold(dropped <= 1, format!("{dropped} tables were dropped"))?;
        if let Some((run, outcome)) = ended {
            let record = &outcome.record;
            hold(
                outcome.package.is_some(),
                format!("run {run} is not sealed"),
            )?;
            self.said(run, record)?;
        }
        let denied = self.denied.contains(&shown);
        hold(!denied, format!("run {shown} denies what the month shows"))
    }

    fn said(&mut self, run: u32, record: &ItemRecord) -> Result<(), String> {
        let error = record.error.as_deref().unwrap_or_default();
        match record.status {
            // One that slept after its count was replaced by rights.
            ItemStatus::Success if self.ever.contains(&run) => return Ok(()),
            // One that slept between its load and its count says who came after it.
            ItemStatus::Failed if is_superseded(record) && self.shown > run => return Ok(()),
            ItemStatus::Error if error.contains("hint: ") => {}
            _ => return Err(format!("run {run} ended {:?}: {error}", record.status)),
        }
        if record.receipt.is_none() && record.submitted.is_none() {
            self.denied.push(run);
        }
        Ok(())
    }
}

fn is_superseded(record: &ItemRecord) -> bool {
    let mut findings = record.verification.iter().flat_map(|check| &check.findings);
    record.receipt.is_some() && findings.any(|finding| finding.contains("superseded by run"))
}

impl Schedule {
    async fn begin(dice: &mut StdRng) -> Self {
        Self {
            world: World::start(dice.random_bool(0.5)).await,
            asleep: BTreeMap::new(),
            judge: Judge::default(),
            story: Vec::new(),
        }
    }

    /// A run that meets these faults, until it ends or sleeps; whether a sleeper is killed instead is `is_killed`.
    async fn run(&mut self, faults: Vec<Fault>, gate: Arc<Gate>, is_killed: bool) {
        self.world.jobs.fake.plan("/bigquery/v2/", faults);
        let mut handle = self.world.begin(brisk());
        let run = self.world.runs;
        let ended = tokio::select! {
            ended = handle.ended() => Some(ended),
            () = gate.reached() => None,
        };
        // What this run did not meet must not strike the next.
        self.world.jobs.fake.forget();
        match ended {
            Some(outcome) => self.ended(run, &outcome).await,
            None if is_killed => self.kill(run, handle).await,
            None => {
                self.story.push(format!("{run} sleeps"));
                self.asleep.insert(run, Sleeper { handle, gate });
                self.must(None).await;
            }
        }
    }

    async fn wake(&mut self, run: u32) {
        let Sleeper { mut handle, gate } = self.asleep.remove(&run).unwrap();
        gate.open();
        self.story.push(format!("{run} wakes"));
        let outcome = handle.ended().await;
        self.ended(run, &outcome).await;
    }

    async fn kill(&mut self, run: u32, handle: Running) {
        handle.kill().await;
        // Odd runs are seen to be gone; the others were on another machine.
        if run % 2 == 1 {
            self.world.seen_gone(run);
        }
        self.story.push(format!("{run} is killed"));
        self.must(None).await;
    }

    async fn ended(&mut self, run: u32, outcome: &ItemOutcome) {
        self.world.seen_gone(run);
        let record = &outcome.record;
        let said = (record.status, &record.error, &record.submitted);
        self.story.push(format!("{run} ended: {said:?}"));
        self.must(Some((run, outcome))).await;
    }

    async fn must(&mut self, ended: Option<(u32, &ItemOutcome)>) {
        if let Err(what) = self.judge.look(&self.world, ended).await {
            panic!("{what}\n{:#?}", self.story);
        }
    }

    async fn step(&mut self, dice: &mut StdRng) {
        let sleeping: Vec<u32> = self.asleep.keys().copied().collect();
        let any = sleeping
            .get(dice.random_range(0..sleeping.len().max(1)))
            .copied();
        match (dice.random_range(0..10), any) {
            (0 | 1, Some(run)) => self.wake(run).await,
            (2, Some(run)) => {
                let sleeper = self.asleep.remove(&run).unwrap();
                self.kill(run, sleeper.handle).await;
            }
            (3, _) => self.world.expire(),
            (4, _) => self.world.jobs.service.end_jobs(),
            (_, any) if any.is_none() || sleeping.len() < ASLEEP_MAX => {
                let gate = Arc::new(Gate::default());
                let faults = faults(dice, &gate);
                self.story.push(format!(
                    "run {} meets {}",
                    self.world.runs + 1,
                    told(&faults)
                ));
                self.run(faults, gate, dice.random_bool(0.5)).await;
            }
            _ => {}
        }
        self.must(None).await;
    }
}

/// The faults with the number of the call that meets each.
fn told(faults: &[Fault]) -> String {
    let said = faults
        .iter()
        .enumerate()
        .filter_map(|(at, fault)| match fault {
            Fault::Served => None,
            Fault::Held(_, when) => Some(format!("{}: held {when:?}", at + 1)),
            other => Some(format!("{}: {other:?}", at + 1)),
        });
    said.collect::<Vec<_>>().join(", ")
}

fn faults(dice: &mut StdRng, gate: &Arc<Gate>) -> Vec<Fault> {
    let mut faults = vec![Fault::Served; CALLS];
    for _ in 0..dice.random_range(0..4) {
        let fault = match dice.random_range(0..8) {
            0 => Fault::Cut,
            1 => Fault::LostReply,
            2 => Fault::Error(401, "UNAUTHENTICATED"),
            3 => Fault::Error(403, "PERMISSION_DENIED"),
            4 => Fault::Page(502),
            _ => Fault::Served,
        };
        faults[dice.random_range(0..CALLS)] = fault;
    }
    // A reply that is lost for as long as the call is repeated.
    if dice.random_bool(0.2) {
        let at = dice.random_range(0..CALLS - 4);
        faults[at..at + 4].fill(Fault::LostReply);
    }
    if dice.random_bool(0.6) {
        let when = match dice.random_bool(0.5) {
            true => When::BeforeServing,
            false => When::BeforeReply,
        };
        faults[dice.random_range(0..CALLS)] = Fault::Held(Arc::clone(gate), when);
    }
    faults
}

/// Random steps over a table of any origin, and at the end one run that meets no fault.
async fn schedule(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut schedule = Schedule::begin(&mut dice).await;
    let nothing = || Arc::new(Gate::default());
    if dice.random_bool(0.5) {
        schedule.run(Vec::new(), nothing(), false).await;
    }
    for _ in 0..dice.random_range(3..12) {
        schedule.step(&mut dice).await;
    }
    while let Some(run) = schedule.asleep.keys().next().copied() {
        schedule.wake(run).await;
    }
    schedule.world.expire();
    schedule.run(Vec::new(), nothing(), false).await;
    let (last, story) = (schedule.world.runs, &schedule.story);
    assert_eq!(schedule.judge.shown, last, "{story:#?}");
    schedule.world.jobs.service.end_jobs();
    schedule.must(None).await;
    assert_eq!(schedule.judge.shown, last, "{:#?}", schedule.story);
    let sealed = schedule.world.sealed().await;
    for folder in &sealed {
        schedule.world.verify(folder).await.unwrap();
    }
    for run in (1..=last).map(World::run_id) {
        let is_its = |folder: &String| folder.contains(&run);
        assert!(
            sealed.iter().any(is_its),
            "{run} has no last word\n{:#?}",
            schedule.story
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_any_call_the_month_is_whole_and_no_package_denies_it() {
    schedules("bigquery", schedule).await;
}

/// The mutations: the judge sees each.
#[tokio::test]
async fn the_judge_sees_a_denial_a_mixture_and_a_month_that_goes_back() {
    let (mut world, mut judge) = (World::start(true).await, Judge::default());
    for run in 1..3 {
        let outcome = world.run().await;
        assert_eq!(judge.look(&world, Some((run, &outcome))).await, Ok(()));
    }
    let parts = world.staged().await;
    let of = |run: u32| parts[&World::run_id(run)].clone();
    world.jobs.service.show(MONTH, [of(1), of(2)].concat());
    let mixed = judge.look(&world, None).await.unwrap_err();
    assert!(mixed.contains("no whole run"), "{mixed}");
    world.jobs.service.show(MONTH, of(1));
    let back = judge.look(&world, None).await.unwrap_err();
    assert!(back.contains("went back from run 2 to 1"), "{back}");

    // The third run loses sight of its load, and does not say that it had begun one.
    let lost = [
        vec![Fault::Served; 2],
        vec![Fault::Error(403, "PERMISSION_DENIED")],
    ]
    .concat();
    world.jobs.fake.plan(
        "GET /bigquery/v2/projects/test-project/jobs/soxauto_load_",
        lost,
    );
    let mut outcome = world.run().await;
    assert!(outcome.record.submitted.take().is_some(), "{outcome:#?}");
    assert_eq!(judge.look(&world, Some((3, &outcome))).await, Ok(()));
    world.jobs.service.end_jobs();
    let denied = judge.look(&world, None).await.unwrap_err();
    assert!(denied.contains("run 3 denies"), "{denied}");
}
