//! A month that is judged while somebody seals an earlier one: what is said of earlier months is of one moment.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde_json::Value;
use soxauto::adapters::store;
use soxauto::app::{SystemClock, scratch};
use soxauto::domain::limits::Limits;
use soxauto::domain::period::Period;
use soxauto::pipeline::reconcile::as_of::settled;
use soxauto::pipeline::reconcile::inputs::Chosen;
use soxauto::pipeline::reconcile::{Reconciled, Rules, Sources};
use soxauto::ports::{Clock, PortError, PortErrorKind};
use soxauto::sandbox::SandboxConfig;

use crate::cli::Shell;
use crate::reconcile::month_of;

/// Says one moment after the other, and the last one for ever.
struct Moments {
    all: Mutex<VecDeque<DateTime<Utc>>>,
    last: DateTime<Utc>,
}

impl Moments {
    fn new(all: &[DateTime<Utc>]) -> Self {
        Self {
            all: Mutex::new(all.iter().copied().collect()),
            last: *all.last().unwrap(),
        }
    }

    fn left(&self) -> usize {
        self.all.lock().unwrap().len()
    }
}

impl Clock for Moments {
    fn now(&self) -> DateTime<Utc> {
        self.all.lock().unwrap().pop_front().unwrap_or(self.last)
    }
}

/// The rules that are built in.
pub(crate) fn rules(shell: &Shell) -> Rules {
    let written = shell.run(&["reconcile", "--write-rules", "rules"]);
    assert_eq!(written.code, 0, "{}{}", written.out, written.err);
    let mut files = BTreeMap::new();
    let root = shell.path("rules");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let place = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(place, fs::read_to_string(&path).unwrap());
        }
    }
    Rules::read(&files).unwrap()
}

async fn april(
    shell: &Shell,
    rules: &Rules,
    clock: &dyn Clock,
) -> Result<(DateTime<Utc>, Reconciled), PortError> {
    let evidence = store::open(shell.path("out/evidence").to_str().unwrap()).unwrap();
    let limits = Limits::default();
    let sources = Sources {
        evidence: &evidence,
        staging: None,
        open: &store::open,
        engine: None,
        scratch: &scratch,
        limits: &limits,
    };
    let april: Period = "2024-04".parse().unwrap();
    settled(sources, rules, april, &Chosen::Newest, clock).await
}

/// When a judgement of March that is sealed now was made.
fn seal_march(shell: &Shell) -> DateTime<Utc> {
    let said = shell.run(&["reconcile", "--period", "2024-03", "--seal"]);
    let mut lines = said.err.lines();
    let package = lines.find_map(|line| line.strip_prefix("sealed file://"));
    let package = package.unwrap_or_else(|| panic!("{}{}", said.out, said.err));
    let judgement = Path::new(package).join("data/judgement.json");
    let judgement: Value = serde_json::from_slice(&fs::read(judgement).unwrap()).unwrap();
    judgement["at"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_judged_again_when_an_earlier_one_was_sealed_meanwhile() {
    let shell = Shell::new();
    for month in ["2024-03", "2024-04"] {
        let clean = SandboxConfig::of(Some(300), None);
        month_of(&shell, clean, month, &["CR_04", "CR_05"]).await;
    }
    let rules = rules(&shell);
    let before = seal_march(&shell);
    let after = SystemClock.now();

    // Nothing was sealed meanwhile: one round, and the moment at which it began.
    let clock = Moments::new(&[after, after]);
    let (at, calm) = april(&shell, &rules, &clock).await.unwrap();
    assert_eq!((at, clock.left()), (after, 1));
    assert_eq!(calm.history.len(), 1);

    // March was sealed after the first look at the clock, and is read all the same: the second round is of one moment.
    let clock = Moments::new(&[before, after, after]);
    let (at, again) = april(&shell, &rules, &clock).await.unwrap();
    assert_eq!((at, clock.left()), (after, 1));
    assert_eq!(again, calm);

    // One that never gets a quiet moment is not sealed with two pasts.
    let clock = Moments::new(&[before]);
    let error = april(&shell, &rules, &clock).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
    let text = error.to_string();
    assert!(
        text.contains("earlier months changed all the while 2024-04 was judged"),
        "{text}"
    );
    assert!(text.contains("reconcile again when"), "{text}");
}
