//! Random interleavings of whole runs, lost replies, refusals, kills and sleeps at any call to BigQuery and any request
//! to the buckets of staging, evidence and leases, of signs of life that fail, of jobs that end with nobody looking, and
//! of expiries: after every step the month is one whole run, and no package denies what it shows.
//! Time-boxed like the fuzz tests, by the same two variables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use soxauto::pipeline::ItemOutcome;

use super::super::fakes::server::{Fault, Gate, When};
use super::brisk;
use super::judge::Judge;
use super::world::{BELOW, Running, World};
use crate::chaos::world::limits;
use crate::support::schedules;

/// Seconds that schedules are played for.
const SECONDS: u64 = 12;

/// Calls to BigQuery of a run that meets no fault, and some more.
const CALLS: usize = 26;

/// Requests to the buckets of a run that meets no fault and speaks for no dead one, and some more.
const OBJECTS: usize = 80;

/// Objects that matter most, one of which may be struck by its name.
const NAMED: [&str; 7] = [
    ".parquet",
    ".keys",
    "/lease.json",
    "/load-",
    "/record.json",
    "/manifest-sha256.txt",
    "/ended.json",
];

/// Signs of life, and more of them than a step of a schedule takes.
const BEAT: &str = "/beat-";
const BEATS: usize = 300;
const BEATS_EVERY: Duration = Duration::from_millis(20);

/// As often as a request is sent until it is given up.
const ATTEMPTS: usize = 4;

const ASLEEP_MAX: usize = 2;

/// What strikes one run.
struct Strikes {
    /// Calls to BigQuery, in their order.
    calls: Vec<Fault>,
    /// Requests to the buckets about objects of one name, before all others.
    named: (&'static str, Vec<Fault>),
    /// The other requests to the buckets, in their order.
    objects: Vec<Fault>,
    /// The time between two signs of life, and what becomes of each.
    beats: (Duration, Fault),
}

/// A run whose request is kept back.
struct Sleeper {
    handle: Running,
    gate: Arc<Gate>,
}

/// The runs of a schedule, of which one moves at a time; only the signs of life of a sleeper may go on.
struct Schedule {
    world: World,
    asleep: BTreeMap<u32, Sleeper>,
    judge: Judge,
    story: Vec<String>,
}

impl Schedule {
    async fn begin(seed: u64, dice: &mut StdRng) -> Self {
        Self {
            world: World::start(dice.random_bool(0.5)).await,
            asleep: BTreeMap::new(),
            judge: Judge::default(),
            story: vec![format!("SOXAUTO_FUZZ_SEED={seed}")],
        }
    }

    /// A run that meets these faults, until it ends or sleeps; whether a sleeper is killed instead is `is_killed`.
    async fn run(&mut self, strikes: Strikes, gate: Arc<Gate>, is_killed: bool) {
        strikes.plan(&mut self.world);
        let mut handle = self.world.begin(brisk());
        let run = self.world.runs;
        let ended = tokio::select! {
            ended = handle.ended() => Some(ended),
            () = gate.reached() => None,
        };
        // What this run did not meet must strike neither the next nor those who look.
        self.world.jobs.fake.forget();
        self.world.jobs.google.fake.forget();
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
        self.judge.killed(run);
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
                let strikes = Strikes::of(dice, &gate);
                self.story.push(format!(
                    "run {} meets {}",
                    self.world.runs + 1,
                    strikes.told()
                ));
                self.run(strikes, gate, dice.random_bool(0.5)).await;
            }
            _ => {}
        }
        self.must(None).await;
    }
}

impl Strikes {
    fn none() -> Self {
        Self {
            calls: Vec::new(),
            named: (BELOW, Vec::new()),
            objects: Vec::new(),
            beats: (limits().lease_beat_interval, Fault::Served),
        }
    }

    fn of(dice: &mut StdRng, gate: &Arc<Gate>) -> Self {
        let mut calls = faults(dice, CALLS, call_fault, Fault::LostReply);
        let lasting = object_fault(dice);
        let mut objects = faults(dice, OBJECTS, object_fault, lasting);
        if dice.random_bool(0.6) {
            let when = match dice.random_bool(0.5) {
                true => When::BeforeServing,
                false => When::BeforeReply,
            };
            let held = Fault::Held(Arc::clone(gate), when);
            match dice.random_bool(0.5) {
                true => calls[dice.random_range(0..CALLS)] = held,
                false => objects[dice.random_range(0..OBJECTS)] = held,
            }
        }
        // Not at all, once, or for as long as the request is repeated.
        let times = [0, 0, 1, ATTEMPTS][dice.random_range(0..4_usize)];
        let name = NAMED[dice.random_range(0..NAMED.len())];
        let named = (name, vec![object_fault(dice); times]);
        let beat = match dice.random_bool(0.5) {
            true => object_fault(dice),
            false => Fault::Served,
        };
        let every = match dice.random_bool(0.3) {
            true => BEATS_EVERY,
            false => limits().lease_beat_interval,
        };
        Self {
            calls,
            named,
            objects,
            beats: (every, beat),
        }
    }

    /// What the next run is to meet.
    fn plan(&self, world: &mut World) {
        let ((every, beat), (name, named)) = (&self.beats, &self.named);
        world.beats = *every;
        world.jobs.fake.plan("/bigquery/v2/", self.calls.clone());
        let buckets = &world.jobs.google.fake;
        // Signs of life come by time and not in an order: none may use up what is meant for another request.
        buckets.plan(BEAT, vec![beat.clone(); BEATS]);
        buckets.plan(name, named.clone());
        buckets.plan(BELOW, self.objects.clone());
    }

    fn told(&self) -> String {
        let ((every, beat), (name, named)) = (&self.beats, &self.named);
        format!(
            "calls [{}], {name} [{}], objects [{}], signs of life every {every:?} [{beat:?}]",
            told(&self.calls),
            told(named),
            told(&self.objects),
        )
    }
}

/// The faults with the number of the request that meets each.
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

fn call_fault(dice: &mut StdRng) -> Fault {
    match dice.random_range(0..8) {
        0 => Fault::Cut,
        1 => Fault::LostReply,
        2 => Fault::Error(401, "UNAUTHENTICATED"),
        3 => Fault::Error(403, "PERMISSION_DENIED"),
        4 => Fault::Page(502),
        _ => Fault::Served,
    }
}

fn object_fault(dice: &mut StdRng) -> Fault {
    match dice.random_range(0..9) {
        0 => Fault::Cut,
        1 | 2 => Fault::LostReply,
        3 => Fault::HalfReply,
        4 => Fault::Error(401, "UNAUTHENTICATED"),
        5 => Fault::Error(403, "forbidden"),
        6 => Fault::Error(412, "conditionNotMet"),
        7 => Fault::Error(503, "UNAVAILABLE"),
        _ => Fault::Page(502),
    }
}

/// A few faults anywhere among so many requests, and seldom one that lasts for as long as its request is repeated.
fn faults(
    dice: &mut StdRng,
    requests: usize,
    fault: fn(&mut StdRng) -> Fault,
    lasting: Fault,
) -> Vec<Fault> {
    let mut faults = vec![Fault::Served; requests];
    for _ in 0..dice.random_range(0..4) {
        let struck = fault(dice);
        faults[dice.random_range(0..requests)] = struck;
    }
    if dice.random_bool(0.2) {
        let at = dice.random_range(0..requests - ATTEMPTS);
        faults[at..at + ATTEMPTS].fill(lasting);
    }
    faults
}

/// Random steps over a table of any origin, and at the end one run that meets no fault.
async fn schedule(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut schedule = Schedule::begin(seed, &mut dice).await;
    let nothing = || Arc::new(Gate::default());
    if dice.random_bool(0.5) {
        schedule.run(Strikes::none(), nothing(), false).await;
    }
    for _ in 0..dice.random_range(3..12) {
        schedule.step(&mut dice).await;
    }
    while let Some(run) = schedule.asleep.keys().next().copied() {
        schedule.wake(run).await;
    }
    schedule.world.expire();
    schedule.run(Strikes::none(), nothing(), false).await;
    schedule.world.jobs.service.end_jobs();
    let closed = schedule.judge.close(&schedule.world).await;
    let (last, story) = (schedule.world.runs, &schedule.story);
    assert_eq!(closed, Ok(()), "{story:#?}");
    assert_eq!(schedule.judge.shown, last, "{story:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_any_call_the_month_is_whole_and_no_package_denies_it() {
    schedules("bigquery::random", SECONDS, schedule).await;
}
