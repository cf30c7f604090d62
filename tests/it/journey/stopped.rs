//! A whole month that is asked to stop is neither judged nor published, whatever its items came to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use soxauto::app::App;
use soxauto::domain::ids::IpeId;
use soxauto::domain::run::{ControlResult, ItemStatus};
use soxauto::pipeline::progress::{KeysExamined, Progress, Stage};
use soxauto::pipeline::workflow::WorkflowResult;
use soxauto::settings::SecretsChoice;
use tokio_util::sync::CancellationToken;

use super::Place;

/// Asks the run to stop when so many items have ended; never for none.
#[derive(Default)]
struct Stopping {
    left: AtomicUsize,
    stop: OnceLock<CancellationToken>,
}

impl Progress for Stopping {
    fn stage(&self, _ipe: &IpeId, _stage: Stage) {}
    fn expected(&self, _ipe: &IpeId, _rows: u64) {}
    fn rows(&self, _ipe: &IpeId, _rows: u64) {}
    fn keys(&self, _ipe: &IpeId, _found: KeysExamined) {}
    fn finished(&self, _ipe: &IpeId, _status: ItemStatus) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stop.get().unwrap().cancel();
        }
    }
}

/// A whole month on the stand-in that is asked to stop after so many of its items.
async fn stopped_after(place: &Place, items: usize) -> WorkflowResult {
    let mut settings = place.settings("");
    settings.items.clear();
    settings.source.secrets = SecretsChoice::Sandbox;
    settings.source.sandbox_rows = Some(300);
    let stopping = Arc::new(Stopping::default());
    let listener = Arc::<Stopping>::clone(&stopping);
    let app = App::build(settings, listener).await.unwrap();
    let items = items.min(app.items().count());
    stopping.left.store(items, Ordering::SeqCst);
    stopping.stop.set(app.stop()).unwrap();
    app.run().await.unwrap()
}

/// How many judgements of the month are sealed.
fn judgements(place: &Place) -> usize {
    let folder = place.path("evidence/reconciliation/period=2024-04");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// What the month of the published registry is made of.
fn published(place: &Place) -> Vec<(String, String)> {
    let mut texts = place.texts();
    texts.retain(|(path, _)| path.contains("warehouse/soxauto_"));
    texts.sort();
    texts
}

fn assert_not_judged(result: &WorkflowResult) {
    let judged = result.reconciliation.as_ref().unwrap();
    let error = judged.error_message.as_ref().unwrap();
    for said in [
        "the run was asked to stop before the month was judged",
        "run the month again",
    ] {
        assert!(error.contains(said), "`{said}` is missing: {error}");
    }
    assert_eq!((&judged.evidence, judged.lines.len()), (&None, 0));
    assert_eq!(result.publication, None);
    assert_eq!(result.control_result, ControlResult::NotConcluded);
    assert_eq!(result.exit_code(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_is_asked_to_stop_seals_no_judgement_and_replaces_none() {
    let place = Place::new();
    // In the midst of its items, then after the last of them.
    let cut_off = stopped_after(&place, 1).await;
    assert_not_judged(&cut_off);
    assert!(cut_off.summary.failed_ipes > 0, "{cut_off:#?}");
    let late = stopped_after(&place, usize::MAX).await;
    assert_not_judged(&late);
    assert_eq!(late.summary.failed_ipes, 0, "{late:#?}");
    assert_eq!((judgements(&place), published(&place)), (0, vec![]));

    // The negative twin: the same month to its end.
    let whole = stopped_after(&place, 0).await;
    let judged = whole.reconciliation.as_ref().unwrap();
    assert_eq!(judged.error_message, None);
    let told = whole.publication.as_ref().unwrap();
    assert_eq!((&told.error_message, told.tables.len()), (&None, 2));
    assert_eq!(judgements(&place), 1);
    let good = published(&place);
    assert!(!good.is_empty());

    // A run that is cut off takes nothing from it.
    let again = stopped_after(&place, 1).await;
    assert_not_judged(&again);
    assert_eq!(judgements(&place), 1);
    assert!(published(&place) == good, "the tables were replaced");
}
