//! Page one, 1 and 2: what the statement is, and what it comes to.

use std::collections::BTreeSet;

use super::View;
use super::html::{Markup, el, english, link};
use crate::domain::check::Verdict;
use crate::domain::reconcile::result::Status;
use crate::domain::reconcile::statement::MonthState;
use crate::domain::run::ControlResult;
use crate::report::material::{count, gross, is_large};
use crate::report::vocabulary::NO_EVIDENCE;

impl View<'_> {
    /// Control, month and cutoff in words, state, what it supersedes, and whether it is evidence at all.
    pub(super) fn title(&self) -> Markup {
        let (result, of) = (self.result, self.language);
        let period = result.period;
        let heading = Markup::from(&result.control)
            .and(" ")
            .and(english(&result.title));
        let month = el("strong", &[], of.month(period.start()));
        let before = self.pick("everything dated before", "tout ce qui est daté d'avant le");
        let when = month.and(format!(": {before} {}", of.date(period.cutoff())));
        let state = el(
            "span",
            &[("class", "state")],
            of.state(&self.statement.state),
        );
        let supersedes = match &self.statement.state {
            MonthState::Final {
                supersedes: Some(run),
                ..
            } => {
                let words = self.pick("supersedes run", "remplace l'exécution");
                Markup::from(format!(" {words} {run}"))
            }
            _ => Markup::none(),
        };
        let stamps = &self.statement.stamps;
        let stamp = if stamps.is_empty() {
            Markup::none()
        } else {
            let reasons: Vec<&str> = stamps.iter().map(|stamp| of.stamp(*stamp)).collect();
            let reasons = format!(": {}", reasons.join("; "));
            let word = el("strong", &[], NO_EVIDENCE);
            let own = match of.tag() {
                "fr" => word.and(" (n'est pas un élément probant)"),
                _ => word,
            };
            el(
                "p",
                &[("class", "stamp"), ("role", "note")],
                own.and(reasons),
            )
        };
        let titles = el("h1", &[("id", "title")], heading).and(el(
            "p",
            &[("class", "when")],
            when.and(" ").and(state).and(supersedes),
        ));
        el("header", &[], titles.and(stamp))
    }

    /// The control's word, and one sentence with counts and dollars.
    pub(super) fn outcome(&self) -> Markup {
        let word = self.statement.control_result();
        let (class, mark) = match word {
            ControlResult::NoExceptions => ("outcome s-ok", "✓"),
            ControlResult::Exceptions => ("outcome s-inv", "▲"),
            ControlResult::NotConcluded => ("outcome s-open", "?"),
        };
        let heading = self.pick("Result", "Résultat");
        let mark = el("span", &[("aria-hidden", "true"), ("class", "mark")], mark);
        let word = mark.and(" ").and(self.language.control_result(word));
        let inner = el("h2", &[("class", "quiet")], heading)
            .and(el("p", &[("class", "word")], word))
            .and(el("p", &[("class", "sentence")], self.sentence()));
        el("div", &[("class", class), ("id", "outcome")], inner)
    }

    fn sentence(&self) -> Markup {
        let (of, result) = (self.language, self.result);
        let buckets = || result.judged().flat_map(|line| &line.buckets);
        let large = || buckets().filter(|bucket| is_large(bucket.status));
        let companies: BTreeSet<&str> = large().map(|bucket| bucket.company.as_str()).collect();
        let open = buckets().filter(|bucket| bucket.status == Status::NotConcluded);
        let without_rate = count(large().filter(|bucket| bucket.rate.is_none()).count());
        let usd = gross(large()).map_or_else(|| "0".to_owned(), |usd| of.amount(usd));
        let findings = result
            .findings
            .iter()
            .filter(|found| !found.code.is_warning());
        let unclear = |verdict: Verdict| matches!(verdict, Verdict::Fail | Verdict::NotRun);
        let zeros = &self.statement.zero_checks;
        let inputs = &self.statement.inputs;
        let bad_zeros = zeros.iter().filter(|check| unclear(check.verdict)).count();
        let bad_inputs = inputs
            .iter()
            .filter(|input| unclear(input.verdicts.all))
            .count();
        let number = |number: usize| of.count(count(number));
        let strong = |text: String| el("strong", &[], text);
        let linked = |id: &str, text: String| link(id, strong(text));
        let rate = match without_rate {
            0 => String::new(),
            some => format!(
                "{}{} {}",
                self.pick("; ", "\u{a0}; "),
                of.count(some),
                self.pick(
                    "without a rate are not in it",
                    "sans cours n'y figurent pas"
                )
            ),
        };
        let next = |english: &str, french: &str| {
            let (stop, colon) = (self.pick("; ", "\u{a0}; "), self.pick(": ", "\u{a0}: "));
            format!("{stop}{}{colon}", self.pick(english, french))
        };
        linked("drill", number(large().count()))
            .and(self.pick(" of ", " des "))
            .and(number(buckets().count()))
            .and(self.pick(
                " balances compared reach their threshold, in ",
                " soldes comparés atteignent leur seuil, dans ",
            ))
            .and(number(companies.len()))
            .and(self.pick(" companies, with ", " sociétés, avec "))
            .and(strong(format!("{usd}\u{a0}USD")))
            .and(self.pick(
                " that nothing explains (added without signs",
                " que rien n'explique (additionnés sans signe",
            ))
            .and(format!("{rate})"))
            .and(next("not concluded", "non conclus"))
            .and(linked("drill", number(open.count())))
            .and(next("findings", "constats"))
            .and(linked("findings", number(findings.count())))
            .and(next(
                "zero checks that did not clear",
                "vérifications à zéro non satisfaites",
            ))
            .and(linked("checks", number(bad_zeros)))
            .and(self.of(zeros.len()))
            .and(next("inputs that did not clear", "entrées non satisfaites"))
            .and(linked("inputs", number(bad_inputs)))
            .and(self.of(inputs.len()))
            .and(".")
    }

    fn of(&self, all: usize) -> String {
        let of = self.pick("of", "sur");
        format!(" {of} {}", self.language.count(count(all)))
    }
}
