//! Leases in a root of their own: the evidence root names it, nobody looks elsewhere, and the line of runs goes on.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use soxauto::adapters::store;
use soxauto::domain::ids::RunId;
use soxauto::domain::reconcile::months::MonthEvent;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::Tools;
use soxauto::pipeline::lease::{Leases, at_work, take};
use soxauto::pipeline::months;
use soxauto::ports::{PortError, PortErrorKind, StoreRoot};

use crate::cli::{Said, Shell};
use crate::evidence::sample::{ipe, period, start};
use crate::lease::Site;
use crate::support::{Moment, guarded};

const NOTE: &str = "runs/leases-root/000001.json";

/// A root in memory that is not that of the evidence.
fn own(name: &str) -> StoreRoot {
    StoreRoot {
        uri: format!("memory://{name}"),
        ..store::memory()
    }
}

/// The tools of a run whose leases lie there.
fn with(site: &Site, root: &StoreRoot) -> Tools {
    Tools {
        leases: Leases::new(root.clone(), &site.tools.evidence),
        ..site.tools.clone()
    }
}

async fn paths(root: &StoreRoot) -> Vec<String> {
    let found = root.list("").await.unwrap();
    found.into_iter().map(|stored| stored.path).collect()
}

fn assert_sent_to(error: &PortError, root: &str) {
    assert_eq!(error.kind, PortErrorKind::Config, "{error}");
    let said = error.to_string();
    assert!(said.contains(&format!("lie in {root}")), "{said}");
    assert!(said.contains("--leases"), "{said}");
}

#[tokio::test]
async fn the_evidence_root_keeps_one_note_and_the_leases_lie_elsewhere() {
    let (site, root) = (Site::new().await, own("leases"));
    let tools = with(&site, &root);
    let (first, _) = take(&tools, &site.record(1)).await.unwrap();
    assert_eq!(paths(&site.tools.evidence).await, [NOTE]);
    let lease = format!("runs/{}/period={}/000001/lease.json", ipe(), period());
    assert_eq!(paths(&root).await, [lease]);
    let refused = PortError::from(take(&tools, &site.record(2)).await.err().unwrap());
    assert_eq!(refused.kind, PortErrorKind::Denied, "{refused}");
    first.still_ours().await.unwrap();
    first.end(&tools.clock, ItemStatus::Success).await.unwrap();
    let (_second, dead) = take(&tools, &site.record(2)).await.unwrap();
    assert_eq!(dead, vec![]);
    assert_eq!(
        paths(&site.tools.evidence).await,
        [NOTE],
        "it is noted once"
    );
}

#[tokio::test]
async fn who_looks_elsewhere_is_told_where_the_leases_lie_and_leaves_none() {
    let (site, other) = (Site::new().await, own("other"));
    let tools = with(&site, &own("leases"));
    let (first, _) = take(&tools, &site.record(1)).await.unwrap();
    first.end(&tools.clock, ItemStatus::Success).await.unwrap();
    for elsewhere in [site.tools.clone(), with(&site, &other)] {
        let refused = take(&elsewhere, &site.record(2)).await.err().unwrap();
        assert_sent_to(&PortError::from(refused), "memory://leases");
        let (clock, processes) = (&elsewhere.clock, &elsewhere.processes);
        let item = ipe();
        let asked = at_work(
            &elsewhere.leases,
            (&item, period()),
            clock,
            processes,
            &elsewhere.limits,
        );
        assert_sent_to(&asked.await.unwrap_err(), "memory://leases");
    }
    assert_eq!(paths(&other).await, Vec::<String>::new());
    assert_eq!(paths(&site.tools.evidence).await, [NOTE]);
    // Whoever moves the leases says so by another note.
    let note = br#"{"leases": "memory://other", "run_id": "20240501T090000Z-00000001", "at": "2024-05-01T09:00:00Z"}"#;
    let moved = site
        .tools
        .evidence
        .create("runs/leases-root/000002.json", note.to_vec().into());
    moved.await.unwrap();
    assert!(take(&with(&site, &other), &site.record(2)).await.is_ok());
    assert!(take(&tools, &site.record(3)).await.is_err());
}

#[tokio::test]
async fn the_line_goes_on_when_leases_get_a_root_of_their_own() {
    let (site, root) = (Site::new().await, own("leases"));
    let (first, _) = site.take(1).await.unwrap();
    first.still_ours().await.unwrap();
    let tools = with(&site, &root);
    let refused = PortError::from(take(&tools, &site.record(2)).await.err().unwrap());
    assert!(
        refused
            .to_string()
            .contains(RunId::new(start(), 1).as_str()),
        "{refused}"
    );
    assert_sent_to(&first.still_ours().await.unwrap_err(), "memory://leases");
    site.later(300);
    let (second, dead) = take(&tools, &site.record(2)).await.unwrap();
    assert_eq!(dead.len(), 1, "the dead of the time before are sealed too");
    let fence = second.fence();
    assert_eq!(
        (&fence.line, fence.generation),
        (&RunId::new(start(), 1), 2)
    );
}

/// The first run with the other root comes between the look of this one and its lease.
#[tokio::test]
async fn a_run_that_was_overtaken_by_the_note_sees_it_and_gives_its_lease_back() {
    let (site, root) = (Site::new().await, own("leases"));
    let evidence = site.tools.evidence.clone();
    let note = br#"{"leases": "memory://leases", "run_id": "20240501T090000Z-00000009", "at": "2024-05-01T09:00:00Z"}"#;
    let guarded = guarded(evidence.clone(), move |moment| {
        if matches!(moment, Moment::Before(Some(_))) {
            futures::executor::block_on(evidence.create(NOTE, note.to_vec().into())).unwrap();
        }
        Ok(())
    });
    let late = Tools {
        leases: Leases::within(&guarded),
        evidence: guarded,
        ..site.tools.clone()
    };
    let refused = take(&late, &site.record(1)).await.err().unwrap();
    assert_sent_to(&PortError::from(refused), "memory://leases");
    let left = paths(&site.tools.evidence).await;
    assert!(
        left.iter().any(|path| path.ends_with("/000001/ended.json")),
        "{left:?}"
    );
    // Nobody waits for it, and nobody takes it for dead.
    let (_lease, dead) = take(&with(&site, &root), &site.record(2)).await.unwrap();
    assert_eq!(dead, vec![]);
}

#[tokio::test]
async fn a_final_month_is_final_wherever_the_leases_lie() {
    let site = Site::new().await;
    let closed = MonthEvent::Closed {
        run_id: RunId::new(start(), 1),
        manifest_sha256: "0".repeat(64),
        by: "A. Mwangi".into(),
    };
    months::append(&site.tools.evidence, period(), closed, start(), None)
        .await
        .unwrap();
    let refused = take(&with(&site, &own("leases")), &site.record(1)).await;
    let refused = PortError::from(refused.err().unwrap());
    assert!(refused.to_string().contains("is final"), "{refused}");
}

/// Half of the runs know the root of the leases, half look below the evidence; each round all begin at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_runs_that_look_in_two_roots_at_once_at_most_one_is_at_work() {
    let mut winners = 0;
    for _ in 0..40 {
        let (site, root) = (Arc::new(Site::new().await), own("leases"));
        let mut runs = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (site, root) = (Arc::clone(&site), root.clone());
            runs.spawn(async move {
                let tools = match number % 2 {
                    0 => site.tools.clone(),
                    _ => with(&site, &root),
                };
                take(&tools, &site.record(number)).await
            });
        }
        let taken: Vec<_> = runs
            .join_all()
            .await
            .into_iter()
            .filter_map(Result::ok)
            .collect();
        assert!(taken.len() <= 1, "{taken:?}");
        winners += taken.len();
    }
    assert!(winners > 0);
}

fn run(shell: &Shell, more: &[&str]) -> Said {
    let args = [
        "run",
        "--period",
        "2024-04",
        "--sandbox-rows",
        "300",
        "--ipe",
        "CR_04",
        "--json",
    ];
    shell.run(&[&args, more].concat())
}

/// Publishes the month; gives what was said, and whether it was published.
fn publish(shell: &Shell, more: &[&str]) -> (Said, bool) {
    let args = "reconcile --period 2024-04 --publish --staging out/staging";
    let args: Vec<&str> = args.split(' ').collect();
    let said = shell.run(&[&args[..], more].concat());
    let is_published = said.err.contains("published soxauto_runs$202404");
    (said, is_published)
}

/// Where the program was told and where not: run, publish, clean, doctor.
#[test]
fn every_command_asks_the_root_of_the_leases() {
    let (shell, own) = (Shell::new(), ["--leases", "leases"]);
    let said = run(&shell, &own);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    let package = result["ipe_results"]["CR_04"]["evidence"].as_str().unwrap();
    let package = Path::new(package.strip_prefix("file://").unwrap_or(package)).to_owned();
    let record = std::fs::read_to_string(package.join("data/record.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let noted = record["places"]["leases"].as_str().unwrap().to_owned();
    assert!(noted.ends_with("/leases"), "{noted}");
    assert!(
        shell
            .path("leases/runs/CR_04/period=2024-04/000001/ended.json")
            .is_file()
    );
    assert!(!shell.path("out/evidence/runs/CR_04").exists());

    let elsewhere = run(&shell, &[]);
    assert_eq!(elsewhere.code, 2, "{}", elsewhere.out);
    assert!(elsewhere.out.contains(&noted), "{}", elsewhere.out);
    let doctor = ["doctor", "--sandbox-rows", "300"];
    let said = shell.run(&doctor);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out
            .contains("leases root: the leases of this evidence root lie in"),
        "{}",
        said.out
    );
    assert_eq!(shell.run(&[&doctor[..], &own].concat()).code, 0);

    let (said, is_published) = publish(&shell, &[]);
    assert_eq!((said.code, is_published), (2, false), "{}", said.err);
    assert!(said.err.contains(&noted), "{}", said.err);
    let (said, is_published) = publish(&shell, &own);
    assert!(said.code < 2 && is_published, "{}", said.err);
    let lease = "leases/runs/SOXAUTO_TABLES/period=2024-04/000001/ended.json";
    assert!(shell.path(lease).is_file());
    assert!(!shell.path("out/evidence/runs/SOXAUTO_TABLES").exists());

    // What the killed run left is judged by the leases, and by no others.
    std::fs::remove_dir_all(&package).unwrap();
    let clean = |more: &[&str]| shell.run(&[&["clean"], more].concat());
    let said = clean(&[]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains(&noted), "{}", said.err);
    let said = clean(&["--leases", "nowhere"]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(!shell.path("nowhere").exists());
    let said = clean(&own);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("staged parts"), "{}", said.out);
}
