//! What the entries of a year can tell of closed months before it.
//!
//! They have what was entered since the year began. What was entered earlier into such a month is known where a judgement of
//! last year that knew the month as final named it.

use super::Reconciled;
use super::history::Past;
use super::judgement;
use super::late::Final;
use super::zeros::ENTRIES;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::result::Code;
use crate::ports::{PortError, StoreRoot};

/// Whether the entries of a period have all that came into a closed month after `run` read them: a month of its own year, or
/// a run that began in it.
pub(super) fn reaches(period: Period, month: Period, run: &RunId) -> bool {
    month.start() >= period.year_start() || began_in(period, run)
}

/// Whether a run began in the year of a period, or later.
fn began_in(period: Period, run: &RunId) -> bool {
    let began = run.started_at();
    began.is_some_and(|began| began.date_naive() >= period.year_start())
}

/// The closed months of which a judgement of last year named whatever came until this year began. It did so by the same rule,
/// so that what came before its own year is known too, or it said that nobody knows.
///
/// # Errors
/// `Corrupt` for a judgement that is not what was sealed; storage errors.
pub(super) async fn named_last_year(
    evidence: &StoreRoot,
    past: &Past,
    period: Period,
) -> Result<Vec<Final>, PortError> {
    let mut finals = past.finals.iter();
    if finals.all(|(month, _)| month.start() >= period.year_start()) {
        return Ok(Vec::new());
    }
    let mut named = Vec::new();
    for point in &past.months {
        if is_of_last_year(point.period, period) {
            let (judgement, _) = judgement::read(evidence, point.period, &point.run_id).await?;
            named.extend(names(&judgement.reconciled, period));
        }
    }
    Ok(named)
}

fn is_of_last_year(month: Period, period: Period) -> bool {
    let last = Period::containing(period.year_start()).and_then(Period::previous);
    last.is_ok_and(|last| last.year_start() == month.year_start())
}

/// The closed months of a judgement whose late entries it named up to the year of a period.
fn names(judged: &Reconciled, period: Period) -> impl Iterator<Item = Final> {
    let mut inputs = judged.inputs.iter();
    let entries = inputs.find(|input| input.item.as_str() == ENTRIES);
    let is_whole = entries.is_some_and(|entries| began_in(period, &entries.run_id));
    let finals = judged.finals.iter().filter(move |_| is_whole);
    let is_known = move |(month, _): &&Final| {
        let mut findings = judged.result.findings.iter();
        !findings.any(|one| one.code == Code::LatePosting && one.place == month.to_string())
    };
    finals.filter(is_known).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reconcile::result::ReconcileFinding;
    use crate::domain::run::ItemStatus;
    use crate::pipeline::reconcile::inputs::InputUsed;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    fn month_of(text: &str) -> Period {
        text.parse().unwrap()
    }

    /// A run that began in the morning of a day.
    fn run(day: &str) -> RunId {
        let began = format!("{day}T08:00:00Z").parse().unwrap();
        RunId::new(began, 7)
    }

    /// The judgement of December by a run of a day, with the months that were closed then.
    fn december(day: &str, finals: &[Final]) -> Reconciled {
        let mut reconciled = judged(month::clean()).reconciled;
        reconciled.finals = finals.to_vec();
        reconciled.inputs = vec![InputUsed {
            item: ENTRIES.parse().unwrap(),
            run_id: run(day),
            status: ItemStatus::Success,
            definition_sha256: String::new(),
            rows: 0,
            digest: None,
            uri: String::new(),
            manifest_sha256: String::new(),
            not_control_evidence: Vec::new(),
        }];
        reconciled.result.findings.clear();
        reconciled
    }

    /// December is closed on 10 February with a run of 8 January. What was entered into it on 20 January is in the entries of
    /// January, which did not know December as final, and in those of February.
    #[test]
    fn the_year_has_what_was_entered_into_a_month_that_a_run_of_the_year_judged() {
        let (closed, february) = (month_of("2024-12"), month_of("2025-02"));
        assert!(reaches(month_of("2025-01"), closed, &run("2025-01-08")));
        assert!(reaches(february, closed, &run("2025-01-08")));
        assert!(reaches(february, closed, &run("2025-01-01")));
        // The negative twin: what a run of December counted may have grown in December.
        assert!(!reaches(february, closed, &run("2024-12-31")));
        assert!(!reaches(february, month_of("2024-11"), &run("2024-12-08")));
        assert!(reaches(
            month_of("2024-12"),
            month_of("2024-11"),
            &run("2024-12-08")
        ));
    }

    #[test]
    fn what_came_before_the_year_is_known_where_last_year_named_it() {
        let january = month_of("2025-01");
        let november: Final = (month_of("2024-11"), run("2024-12-08"));
        let named = |judged: &Reconciled| names(judged, january).collect::<Vec<_>>();
        let knew = december("2025-01-08", std::slice::from_ref(&november));
        assert_eq!(named(&knew), std::slice::from_ref(&november));
        let later = december("2025-01-08", &[]);
        assert!(named(&later).is_empty(), "November was closed later");
        let early = december("2024-12-31", std::slice::from_ref(&november));
        assert!(named(&early).is_empty(), "more may have come that day");
        let mut unsure = knew.clone();
        unsure.result.findings.push(ReconcileFinding {
            code: Code::LatePosting,
            place: "2024-11".to_owned(),
            what: "not known".to_owned(),
        });
        assert!(named(&unsure).is_empty());
        let mut without = knew;
        without.inputs.clear();
        assert!(named(&without).is_empty());

        assert!(is_of_last_year(month_of("2024-12"), january));
        assert!(is_of_last_year(month_of("2024-01"), month_of("2025-12")));
        assert!(!is_of_last_year(january, month_of("2025-02")));
        assert!(!is_of_last_year(month_of("2023-12"), january));
    }
}
