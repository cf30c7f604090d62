//! What the package of a whole run says of a load whose end it did not see, and what the next run makes of the month.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use soxauto::domain::check::Verdict;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::ItemOutcome;
use soxauto::pipeline::package::outline::outline;
use soxauto::pipeline::record::ItemRecord;

use super::super::fakes::server::{Fault, Gate, When};
use super::brisk;
use super::world::World;
use crate::chaos::source::item;

const POSTS: &str = "POST /bigquery/v2/projects/test-project/jobs";
const LOADS: &str = "GET /bigquery/v2/projects/test-project/jobs/soxauto_load_";
const TABLES: &str = "GET /bigquery/v2/projects/test-project/datasets/sox/tables/";
const NOTHING: &str = "nothing was loaded; the warehouse shows what it showed before";

fn no() -> Fault {
    Fault::Error(403, "PERMISSION_DENIED")
}

/// A month that shows run 1.
async fn world() -> World {
    let mut world = World::start(false).await;
    let first = world.run().await;
    assert_eq!(first.record.status, ItemStatus::Success, "{first:#?}");
    assert!(
        world
            .packaged(1, "data/summary.md")
            .await
            .contains("rows stand in")
    );
    assert_eq!(world.shown().await, Ok(World::run_id(1)));
    world
}

fn verdicts(outcome: &ItemOutcome) -> Vec<Verdict> {
    let made = outcome.record.verification.iter();
    made.map(|check| check.verdict).collect()
}

/// The page that may leave names the job and how to look it up, as the package does.
fn assert_outlined(record: &ItemRecord) {
    let load = record.submitted.as_ref().expect("a load was submitted");
    let page = outline(record, "0");
    let said = format!(
        "may have been replaced by job {}, whose end nobody saw: look it up with `{}`",
        load.job_id, load.look
    );
    assert!(page.contains(&said), "`{said}` is missing: {page}");
    assert!(!page.contains("nothing was loaded"), "{page}");
}

/// Run 2 may have loaded: its package says so and how to find out, and calls nothing checked.
async fn assert_open(world: &World, outcome: &ItemOutcome) {
    let record = &outcome.record;
    assert_eq!(record.status, ItemStatus::Error, "{record:#?}");
    assert_eq!(verdicts(outcome), [Verdict::NotRun; 5]);
    let load = record.submitted.as_ref().expect("a load was submitted");
    let page = world.packaged(2, "data/summary.md").await;
    for said in [
        format!("may have been replaced by job {}", load.job_id),
        format!(
            "look with `bq show --project_id=test-project --location=EU -j {}`",
            load.job_id
        ),
        "run the item again".to_owned(),
    ] {
        assert!(page.contains(&said), "`{said}` is missing: {page}");
    }
    assert!(!page.contains(NOTHING), "{page}");
    assert_outlined(record);
    let error = record.error.as_deref().unwrap_or_default();
    assert!(
        error.contains("may have been replaced") && error.contains("hint: "),
        "{error}"
    );
    let log = world.packaged(2, "data/log.jsonl").await;
    assert!(log.contains("load submitted"), "{log}");
}

async fn assert_next_replaces(world: &mut World) {
    let next = world.run().await;
    assert_eq!(
        next.record.status,
        ItemStatus::Success,
        "{:?}",
        next.record.error
    );
    assert_eq!(world.shown().await, Ok(World::run_id(3)));
    world.jobs.service.end_jobs();
    assert_eq!(
        world.shown().await,
        Ok(World::run_id(3)),
        "nothing comes later"
    );
}

#[tokio::test]
async fn a_load_that_was_lost_sight_of_may_have_replaced_the_month_and_the_package_says_so() {
    // Run 2 closes the place of run 1 and looks at its load, which has ended; then it takes its own place and loads.
    let after = |served: usize, faults: Vec<Fault>| [vec![Fault::Served; served], faults].concat();
    for (step, faults) in [
        (POSTS, after(3, vec![Fault::LostReply; 4])),
        (LOADS, after(2, vec![no()])),
        (LOADS, after(4, vec![no()])),
    ] {
        let mut world = world().await;
        world.jobs.fake.plan(step, faults);
        let second = world.run().await;
        world.jobs.fake.assert_spent();
        assert_open(&world, &second).await;
        // It ends well, unseen: the month is that of run 2, and its package did not deny it.
        world.jobs.service.end_jobs();
        assert_eq!(world.shown().await, Ok(World::run_id(2)));
        assert_next_replaces(&mut world).await;
    }
}

#[tokio::test]
async fn a_load_that_takes_too_long_is_left_to_the_next_run_which_ends_it() {
    let mut world = world().await;
    world.jobs.service.hold(true);
    let mut within = brisk();
    within.load_deadline = Duration::from_millis(40);
    let second = world.begin(within).ended().await;
    assert_open(&world, &second).await;
    assert_eq!(
        world.shown().await,
        Ok(World::run_id(1)),
        "it is still at work"
    );
    let mut third = world.begin(brisk());
    while world.jobs.fake.seen("/cancel").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.jobs.service.hold(false);
    let third = third.ended().await;
    assert_eq!(third.record.status, ItemStatus::Success, "{third:#?}");
    assert_eq!(world.shown().await, Ok(World::run_id(3)));
    world.jobs.service.end_jobs();
    assert_eq!(
        world.shown().await,
        Ok(World::run_id(3)),
        "nothing comes later"
    );
}

/// The negative twin: where nothing was replaced, nothing is said to have been.
#[tokio::test]
async fn a_load_that_was_not_submitted_or_that_failed_loaded_nothing_and_the_package_says_so() {
    for fault in [Some(no()), None] {
        let mut world = world().await;
        match fault {
            Some(fault) => world.jobs.fake.plan(POSTS, [fault]),
            None => world.jobs.service.fail("invalid", "bad"),
        }
        let second = world.run().await;
        let record = &second.record;
        assert_eq!(record.status, ItemStatus::Error, "{record:#?}");
        assert!(record.submitted.is_none() && record.verification.is_empty());
        let page = world.packaged(2, "data/summary.md").await;
        assert!(
            page.contains(NOTHING) && !page.contains("may have"),
            "{page}"
        );
        let page = outline(record, "0");
        assert!(
            page.contains("nothing was loaded") && !page.contains("may have"),
            "{page}"
        );
        world.jobs.service.end_jobs();
        assert_eq!(world.shown().await, Ok(World::run_id(1)));
        assert_next_replaces(&mut world).await;
    }
}

#[tokio::test]
async fn a_look_after_the_load_that_fails_stands_behind_the_receipt() {
    let mut world = world().await;
    let looks = [Fault::Served, Fault::Served, no()];
    world.jobs.fake.plan(TABLES, looks);
    let second = world.run().await;
    world.jobs.fake.assert_spent();
    let record = &second.record;
    assert_eq!(record.status, ItemStatus::Error);
    assert!(record.receipt.is_some() && record.submitted.is_none());
    let not_run = [Verdict::NotRun; 4];
    assert_eq!(verdicts(&second), [&[Verdict::Pass][..], &not_run].concat());
    let page = world.packaged(2, "data/summary.md").await;
    assert!(
        page.contains("rows stand in") && page.contains("NOT RUN"),
        "{page}"
    );
    assert_eq!(world.shown().await, Ok(World::run_id(2)));
    assert_next_replaces(&mut world).await;
}

#[tokio::test]
async fn what_is_wrong_after_the_load_is_a_finding_of_a_month_that_was_loaded() {
    let mut world = world().await;
    world.jobs.service.miscount();
    let second = world.run().await;
    assert_eq!(second.record.status, ItemStatus::Failed, "{second:#?}");
    assert_eq!(verdicts(&second)[0], Verdict::Fail);
    let page = world.packaged(2, "data/summary.md").await;
    assert!(
        page.contains("4 files instead of 3") && page.contains("rows stand in"),
        "{page}"
    );

    // Somebody lets the months end while they are loaded.
    let mut world = self::world().await;
    let gate = Arc::new(Gate::default());
    let before = Fault::Served;
    let held = Fault::Held(Arc::clone(&gate), When::BeforeServing);
    world.jobs.fake.plan(TABLES, [before.clone(), before, held]);
    let mut second = world.begin(brisk());
    gate.reached().await;
    world.jobs.service.change(&item().id.table_name(), |table| {
        table["timePartitioning"]["expirationMs"] = json!("5184000000");
    });
    gate.open();
    let second = second.ended().await;
    assert_eq!(second.record.status, ItemStatus::Failed, "{second:#?}");
    let table = second.record.verification.last().unwrap();
    assert_eq!(
        (table.id.as_str(), table.verdict),
        ("warehouse.table", Verdict::Fail)
    );
    let page = world.packaged(2, "data/summary.md").await;
    assert!(page.contains("deletes its months after 60 days"), "{page}");
}

#[tokio::test]
async fn a_token_that_expires_in_mid_run_is_renewed_at_every_call() {
    let calls = {
        let mut world = World::start(true).await;
        world.run().await;
        world.jobs.fake.seen("/bigquery/v2/").len()
    };
    assert!(calls > 8, "{calls}");
    for at in 0..calls {
        let mut world = World::start(true).await;
        let mut faults = vec![Fault::Served; at];
        faults.push(Fault::Error(401, "UNAUTHENTICATED"));
        world.jobs.fake.plan("/bigquery/v2/", faults);
        let outcome = world.run().await;
        world.jobs.fake.assert_spent();
        assert_eq!(
            outcome.record.status,
            ItemStatus::Success,
            "call {at}: {:?}",
            outcome.record.error
        );
        assert_eq!(world.shown().await, Ok(World::run_id(1)), "call {at}");
    }
}

#[tokio::test]
async fn of_two_whole_runs_at_once_one_loads_and_the_other_names_it() {
    let mut world = world().await;
    let gate = Arc::new(Gate::default());
    world
        .jobs
        .fake
        .plan(POSTS, [Fault::Held(Arc::clone(&gate), When::BeforeServing)]);
    let mut second = world.begin(brisk());
    gate.reached().await;
    let third = world.begin(brisk()).ended().await;
    let error = third.record.error.clone().unwrap_or_default();
    assert!(
        third.held_by.is_some() && error.contains(&World::run_id(2)),
        "{error}"
    );
    gate.open();
    let second = second.ended().await;
    assert_eq!(
        second.record.status,
        ItemStatus::Success,
        "{:?}",
        second.record.error
    );
    assert_eq!(world.shown().await, Ok(World::run_id(2)));
}

/// Kills run 2 at the POST of that number; gives the summary and the record of the package that run 3 seals for it.
async fn killed_at(post: usize, when: When) -> (World, String, ItemRecord) {
    let mut world = world().await;
    let gate = Arc::new(Gate::default());
    let held = Fault::Held(Arc::clone(&gate), when);
    let faults = [vec![Fault::Served; post], vec![held]].concat();
    world.jobs.fake.plan(POSTS, faults);
    let second = world.begin(brisk());
    gate.reached().await;
    second.kill().await;
    gate.open();
    world.seen_gone(2);
    let third = world.run().await;
    assert_eq!(third.record.status, ItemStatus::Success, "{third:#?}");
    assert_eq!(third.buried.len(), 1);
    world.jobs.service.end_jobs();
    assert_eq!(world.shown().await, Ok(World::run_id(3)));
    let page = world.abandoned(2, "data/summary.md").await;
    let record = world.abandoned(2, "data/record.json").await;
    let record = serde_json::from_str(&record).unwrap();
    (world, page, record)
}

#[tokio::test]
async fn a_run_that_was_killed_in_its_load_is_sealed_with_the_job_to_look_up() {
    for when in [When::BeforeServing, When::BeforeReply] {
        let (world, page, record) = killed_at(3, when).await;
        assert_outlined(&record);
        let load = record.submitted.expect("the load was noted");
        assert!(load.job_id.starts_with("soxauto_load_"), "{load:?}");
        let inserted = world.jobs.fake.seen(POSTS);
        let is_it = |body: &[u8]| String::from_utf8_lossy(body).contains(&load.job_id);
        assert!(inserted.iter().any(|seen| is_it(&seen.body)));
        for said in [
            format!("may have been replaced by job {}", load.job_id),
            load.look,
        ] {
            assert!(page.contains(&said), "`{said}` is missing: {page}");
        }
        assert_eq!(record.verification.len(), 5, "none of them was made");
    }
}

/// The negative twin: it died before, when it took its place in the line.
#[tokio::test]
async fn a_run_that_was_killed_before_its_load_is_sealed_without_one() {
    let (_world, page, record) = killed_at(2, When::BeforeReply).await;
    assert_eq!(record.submitted, None);
    assert!(record.verification.is_empty());
    for page in [page, outline(&record, "0")] {
        assert!(!page.contains("may have been replaced"), "{page}");
    }
}

/// A note that nobody knows to be written keeps the job from being submitted.
#[tokio::test]
async fn a_load_that_cannot_be_noted_is_not_submitted() {
    for faults in [vec![no()], vec![Fault::LostReply; 4]] {
        let mut world = world().await;
        let buckets = &world.jobs.google.fake;
        buckets.plan("/load-000001.json", faults);
        let loads = world.jobs.service.loads().len();
        let second = world.run().await;
        world.jobs.google.fake.assert_spent();
        assert_eq!(second.record.status, ItemStatus::Error, "{second:#?}");
        assert_eq!(second.record.submitted, None);
        assert_eq!(world.jobs.service.loads().len(), loads);
        assert_eq!(world.shown().await, Ok(World::run_id(1)));
        assert_next_replaces(&mut world).await;
    }
}
