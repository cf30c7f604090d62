//! Random interleavings of runs, faults, expiries and cleanings of one month: after every step the month is one whole
//! copy, and every run has its last word. Time-boxed like the fuzz tests, by the same two variables.

mod gate;
pub(crate) mod judge;
pub(crate) mod source;
pub(crate) mod world;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use soxauto::adapters::local_warehouse::Step;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;

use self::gate::{Fault, Plan};
use self::judge::Judge;
use self::source::item;
use self::world::World;
use crate::support::schedules;

/// Operations of a run that meets no fault, and some more.
const OPERATIONS: usize = 75;
const ASLEEP_MAX: usize = 3;

fn plan(dice: &mut StdRng) -> Plan {
    let mut plan = Plan::default();
    for _ in 0..dice.random_range(0..3) {
        let fault = match dice.random_range(0..8) {
            0 | 1 => Fault::Refused,
            2 => Fault::Lost,
            3 => Fault::Killed,
            _ => Fault::Stopped,
        };
        plan.at.insert(dice.random_range(1..=OPERATIONS), fault);
    }
    plan
}

/// One random step; what the run said that ended in it.
async fn step(world: &mut World, dice: &mut StdRng) -> (String, Option<ItemOutcome>) {
    let sleeping: Vec<u32> = world.asleep.keys().copied().collect();
    let any = sleeping
        .get(dice.random_range(0..sleeping.len().max(1)))
        .copied();
    match (dice.random_range(0..10), any) {
        (0 | 1, Some(run)) => (format!("wake {run}"), world.wake(run, false)),
        (2, Some(run)) => (format!("kill {run}"), world.wake(run, true)),
        (3 | 4, _) => {
            world.expire();
            ("expire".into(), None)
        }
        (5, _) => {
            world.clean().await;
            ("clean".into(), None)
        }
        _ if sleeping.len() < ASLEEP_MAX => {
            let plan = plan(dice);
            (
                format!("run {} {:?}", world.runs + 1, plan.at),
                world.run(plan),
            )
        }
        _ => ("nothing".into(), None),
    }
}

async fn must(judged: impl Future<Output = Result<(), String>>, story: &[String]) {
    if let Err(what) = judged.await {
        panic!("{what}\n{story:#?}");
    }
}

/// A schedule: an old month, random steps, and at the end one run that meets no fault.
async fn schedule(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut world, mut judge, mut story) = (World::new(), Judge::default(), Vec::new());
    let first = world.run(Plan::default()).unwrap();
    assert_eq!(first.record.status, ItemStatus::Success, "{first:#?}");
    for _ in 0..dice.random_range(3..12) {
        let (done, ended) = step(&mut world, &mut dice).await;
        let said = ended
            .as_ref()
            .map(|ended| (ended.record.status, &ended.record.error));
        story.push(format!("{done}: {said:?}"));
        must(judge.look(&world, ended.as_ref()), &story).await;
    }
    while let Some(run) = world.asleep.keys().next().copied() {
        let ended = world.wake(run, dice.random_bool(0.5));
        story.push(format!("at last wake or kill {run}"));
        must(judge.look(&world, ended.as_ref()), &story).await;
    }
    world.expire();
    let last = world.run(Plan::default()).unwrap();
    assert_eq!(
        last.record.status,
        ItemStatus::Success,
        "{last:#?}\n{story:#?}"
    );
    must(judge.look(&world, Some(&last)), &story).await;
    world.clean().await;
    must(judge.close(&world), &story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_in_whatever_order_the_month_is_whole_and_nobody_is_forgotten() {
    schedules("chaos::whatever", 4, schedule).await;
}

/// A run that sleeps in its load until another has taken over and loaded; then it wakes. What the judge says.
async fn overtaken(fenced: bool) -> (World, Judge, Result<(), String>) {
    let (mut world, mut judge) = (World::new(), Judge::default());
    world.fenced = fenced;
    world.run(Plan::default()).unwrap();
    let plan = Plan {
        at_step: Some((Step::WritePart(0), Fault::Stopped)),
        ..Plan::default()
    };
    assert!(world.run(plan).is_none(), "it sleeps");
    world.expire();
    let next = world.run(Plan::default()).unwrap();
    assert_eq!(next.record.status, ItemStatus::Success, "{next:#?}");
    judge.look(&world, Some(&next)).await.unwrap();
    let late = world.wake(2, false).unwrap();
    let judged = judge.look(&world, Some(&late)).await;
    let error = late.record.error.unwrap_or_default();
    assert_eq!(fenced, error.contains("took it over"), "{error}");
    (world, judge, judged)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_sleeps_in_its_load_does_not_turn_the_month_back() {
    let (_, _, judged) = overtaken(true).await;
    assert_eq!(judged, Ok(()));
}

/// The mutations: each takes one safeguard away, and the judge must see it.
#[tokio::test(flavor = "multi_thread")]
async fn the_judge_sees_a_month_that_goes_back_when_loads_do_not_say_where_they_stand() {
    let judged = overtaken(false).await.2;
    let what = judged.unwrap_err();
    assert!(what.contains("went back from generation 3 to 2"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_sees_a_mixture_a_loss_and_a_run_without_a_last_word() {
    let (world, mut judge, _) = overtaken(true).await;
    let month = world
        .dir
        .path()
        .join("warehouse")
        .join(item().id.table_name())
        .join("period=2024-04");
    let run = |n| World::context(n).run_id.to_string();
    let part = |n| month.join(run(n)).join("part-00000.parquet");
    let good = std::fs::read(part(3)).unwrap();
    std::fs::copy(part(1), part(3)).unwrap();
    let mixed = judge.look(&world, None).await.unwrap_err();
    assert!(mixed.contains("a mixture"), "{mixed}");
    std::fs::write(part(3), good).unwrap();
    assert_eq!(judge.look(&world, None).await, Ok(()));
    judge.close(&world).await.unwrap();

    let staged = world.staging.list("").await.unwrap();
    let of_one = staged
        .iter()
        .find(|part| part.path.contains(&run(1)))
        .unwrap();
    std::fs::remove_file(world.dir.path().join("staging").join(&of_one.path)).unwrap();
    let lost = judge.close(&world).await.unwrap_err();
    assert!(lost.contains("does not verify"), "{lost}");

    let package = format!("evidence/IPE_07/period=2024-04/run={}", run(1));
    std::fs::remove_dir_all(world.dir.path().join(package)).unwrap();
    let mut world = world;
    let after = world.run(Plan::default()).unwrap();
    let forgotten = judge.look(&world, Some(&after)).await.unwrap_err();
    assert!(forgotten.contains("has no last word"), "{forgotten}");
}
