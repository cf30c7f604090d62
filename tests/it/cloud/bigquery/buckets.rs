//! Buckets that fail around a load: what a fault of one service and a fault or a kill at the other leave together.

use std::sync::Arc;
use std::time::Duration;

use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::record::ItemRecord;

use super::super::fakes::server::{Fault, Gate, When};
use super::brisk;
use super::judge::Judge;
use super::world::{Running, World};

const POSTS: &str = "POST /bigquery/v2/projects/test-project/jobs";
const REPLACED: &str = "may have been replaced by job";

/// What run 2 sends before the job that loads: it closes the place of run 1, looks at its load, and takes its own place.
const BEFORE_LOAD: usize = 3;

fn no() -> Fault {
    Fault::Error(403, "forbidden")
}

/// A month that shows run 1, and whoever looks at what comes.
async fn world() -> (World, Judge) {
    let (mut world, mut judge) = (World::start(false).await, Judge::default());
    let first = world.run().await;
    looked(&world, &mut judge, 1, &first).await;
    assert_eq!(judge.shown, 1);
    (world, judge)
}

async fn looked(world: &World, judge: &mut Judge, run: u32, outcome: &ItemOutcome) {
    assert_eq!(judge.look(world, Some((run, outcome))).await, Ok(()));
}

/// The next run meets no fault: the month is its own, and everybody has a last word.
async fn mended(world: &mut World, judge: &mut Judge) -> ItemOutcome {
    let next = world.run().await;
    let run = world.runs;
    let error = &next.record.error;
    assert_eq!(next.record.status, ItemStatus::Success, "{error:?}");
    looked(world, judge, run, &next).await;
    world.jobs.service.end_jobs();
    assert_eq!(judge.close(world).await, Ok(()));
    assert_eq!(judge.shown, run);
    next
}

fn after(served: usize, faults: Vec<Fault>) -> Vec<Fault> {
    [vec![Fault::Served; served], faults].concat()
}

/// The load is lost sight of, and then the reply to the last object of the package.
#[tokio::test]
async fn a_load_and_a_manifest_whose_replies_are_lost_leave_a_package_that_says_what_may_be() {
    let (mut world, mut judge) = world().await;
    let lost = vec![Fault::LostReply; 4];
    world
        .jobs
        .fake
        .plan(POSTS, after(BEFORE_LOAD, lost.clone()));
    world.jobs.google.fake.plan("/manifest-sha256.txt", lost);
    let second = world.run().await;
    world.jobs.fake.assert_spent();
    world.jobs.google.fake.assert_spent();
    assert!(second.package.is_none(), "{second:#?}");
    let error = second.record.error.clone().unwrap_or_default();
    let unsealed = "the month may have been loaded, and the evidence could not be sealed";
    for said in [REPLACED, unsealed, "no reply of", "hint: "] {
        assert!(error.contains(said), "`{said}` is missing: {error}");
    }
    looked(&world, &mut judge, 2, &second).await;
    assert_eq!(judge.shown, 1, "the job is at work");
    world.jobs.service.end_jobs();
    assert_eq!(judge.look(&world, None).await, Ok(()));
    assert_eq!(judge.shown, 2);

    let third = mended(&mut world, &mut judge).await;
    assert!(third.buried.is_empty(), "the manifest is there");
    let page = world.packaged(2, "data/summary.md").await;
    assert!(page.contains(REPLACED), "{page}");
}

/// The same where nothing of the package arrives any more: the next run says it in its name.
#[tokio::test]
async fn a_month_that_was_loaded_and_could_not_be_sealed_is_said_by_the_next_run() {
    let (mut world, mut judge) = world().await;
    world.jobs.google.fake.plan("/record.json", [no()]);
    let second = world.run().await;
    world.jobs.google.fake.assert_spent();
    let error = second.record.error.clone().unwrap_or_default();
    let unsealed = "the month was loaded, but the evidence could not be sealed";
    assert!(second.package.is_none() && error.contains(unsealed));
    looked(&world, &mut judge, 2, &second).await;
    assert_eq!(judge.shown, 2);
    let third = mended(&mut world, &mut judge).await;
    assert_eq!(third.buried.len(), 1);
    let page = world.abandoned(2, "data/summary.md").await;
    assert!(page.contains(REPLACED), "{page}");
}

/// Run 2 submits its load and waits for the reply, which is kept back.
async fn waiting(world: &mut World) -> (Running, Arc<Gate>) {
    let rest = world.beats;
    world.beats = Duration::from_millis(20);
    let gate = Arc::new(Gate::default());
    let held = Fault::Held(Arc::clone(&gate), When::BeforeReply);
    world.jobs.fake.plan(POSTS, after(BEFORE_LOAD, vec![held]));
    let second = world.begin(brisk());
    gate.reached().await;
    world.beats = rest;
    (second, gate)
}

/// Signs of life that lie in the bucket.
fn beats(world: &World) -> usize {
    let objects = world.objects();
    objects
        .keys()
        .filter(|name| name.contains("/beat-"))
        .count()
}

async fn a_little() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// The next run is not let in, because run 2 is at work.
async fn refused(world: &mut World, judge: &mut Judge) {
    let third = world.run().await;
    let holder = third.held_by.as_ref().expect("it is held");
    assert_eq!(holder.run_id.to_string(), World::run_id(2));
    looked(world, judge, 3, &third).await;
}

#[tokio::test]
async fn a_run_whose_signs_of_life_fail_and_that_is_killed_in_its_load_is_taken_over() {
    let (mut world, mut judge) = world().await;
    world.jobs.google.fake.plan("/beat-", vec![no(); 500]);
    let (second, _gate) = waiting(&mut world).await;
    while world.jobs.google.fake.seen("/beat-").len() < 2 {
        a_little().await;
    }
    second.kill().await;
    judge.killed(2);
    assert_eq!(beats(&world), 0, "none was written");
    // On another machine nobody sees that its process is gone.
    refused(&mut world, &mut judge).await;
    world.expire();
    let fourth = mended(&mut world, &mut judge).await;
    assert_eq!(fourth.buried.len(), 1);
    let page = world.abandoned(2, "data/summary.md").await;
    assert!(page.contains(REPLACED), "{page}");
}

/// The negative twin: signs of life that are written keep the month, however long the call takes.
#[tokio::test]
async fn a_run_whose_signs_of_life_are_written_is_not_taken_over_while_its_load_takes_long() {
    let (mut world, mut judge) = world().await;
    let (mut second, gate) = waiting(&mut world).await;
    world.expire();
    let before = beats(&world);
    // The first that comes may have been begun before.
    while beats(&world) < before + 2 {
        a_little().await;
    }
    refused(&mut world, &mut judge).await;
    gate.open();
    let ended = second.ended().await;
    world.seen_gone(2);
    looked(&world, &mut judge, 2, &ended).await;
    assert_eq!(ended.record.status, ItemStatus::Success, "{ended:#?}");
    assert_eq!(judge.shown, 2);
    mended(&mut world, &mut judge).await;
}

#[tokio::test]
async fn a_note_whose_reply_is_lost_and_a_kill_name_a_job_that_is_looked_for_in_vain() {
    let (mut world, mut judge) = world().await;
    let gate = Arc::new(Gate::default());
    let held = Fault::Held(Arc::clone(&gate), When::BeforeServing);
    let twice = [Fault::LostReply, held];
    world.jobs.google.fake.plan("/load-000001.json", twice);
    let loads = world.jobs.service.loads();
    let second = world.begin(brisk());
    gate.reached().await;
    second.kill().await;
    judge.killed(2);
    world.seen_gone(2);
    assert_eq!(judge.look(&world, None).await, Ok(()));
    assert_eq!(judge.shown, 1);
    assert_eq!(world.jobs.service.loads(), loads, "nothing was submitted");
    let third = mended(&mut world, &mut judge).await;
    assert_eq!(third.buried.len(), 1);
    let record = world.abandoned(2, "data/record.json").await;
    let record: ItemRecord = serde_json::from_str(&record).unwrap();
    let load = record.submitted.expect("the note was written");
    assert!(!world.jobs.service.loads().contains(&load.job_id));
    let page = world.abandoned(2, "data/summary.md").await;
    for said in [REPLACED, load.look.as_str()] {
        assert!(page.contains(said), "`{said}` is missing: {page}");
    }
}
