//! What is not as it was in an earlier month, in words and numbers without a bare sign.

use super::View;
use super::grids::number_text;
use super::html::{Grid, Markup, Row, head, number};
use crate::domain::amount::Amount;
use crate::domain::reconcile::drift::Presence;
use crate::domain::reconcile::result::Status;
use crate::report::drift::{Measure, Move, Values, listed};

impl View<'_> {
    /// Rows, totals and columns of items, and what lines came to, beside an earlier month.
    pub(super) fn drift(&self) -> Markup {
        let heading = self.pick(
            "Drift since an earlier month",
            "Évolution depuis un mois antérieur",
        );
        let Some(drift) = &self.statement.drift else {
            let note = self.note(self.pick(
                "Not known: no earlier month was judged, so that nothing is compared with one.",
                "Inconnue : aucun mois antérieur n'a été jugé, rien n'est comparé.",
            ));
            return self.part("drift", heading, note);
        };
        let with = self.pick("Compared with", "Comparé à");
        let note = self.note(format!(
            "{with} {}. {}",
            drift.since,
            self.pick(
                "Totals are as the source signs them. What is not here is as it was.",
                "Les totaux ont le signe de la source. Ce qui n'est pas ici est comme avant.",
            )
        ));
        let moves = listed(drift).into_iter();
        let rows: Vec<Row> = moves.map(|one| self.moved(one)).collect();
        if rows.is_empty() {
            return self.part("drift", heading, note.and(self.none()));
        }
        let grid = Grid {
            class: "sort",
            caption: heading.into(),
            heads: vec![
                head(self.pick("Item or line", "Élément ou ligne")),
                head(self.pick("What is compared", "Ce qui est comparé")),
                number(self.pick("Before", "Avant")),
                number(self.pick("Now", "Maintenant")),
                number(self.pick("Difference", "Différence")),
                head(self.pick("Note", "Remarque")),
            ],
            rows,
        };
        self.part("drift", heading, note.and(grid.markup(heading)))
    }

    fn moved(&self, one: Move<'_>) -> Row {
        let of = self.language;
        let what = format!("{} {}", of.measure(one.measure), one.column);
        let [before, now, difference] = match one.values {
            Values::Numbers(moved) => [
                self.measured(one.measure, moved.before),
                self.measured(one.measure, moved.now),
                self.difference(one.measure, moved.difference),
            ],
            Values::Texts(before, now) => [before, now, None],
            Values::Status(status) => {
                let word = |status: Option<Status>| status.map(|word| of.status(word).to_owned());
                [word(status.before), word(status.now), None]
            }
            Values::Presence(presence) => {
                let unless = |absent: Presence| Some(of.yes_no(presence != absent).to_owned());
                [unless(Presence::New), unless(Presence::Gone), None]
            }
        };
        let shown = |text: Option<String>| Markup::from(text.unwrap_or_else(|| "–".to_owned()));
        let cells = vec![
            one.subject.into(),
            what.trim_end().into(),
            shown(before),
            shown(now),
            shown(difference),
            of.drift_note(one.note).into(),
        ];
        cells.into()
    }

    /// A number of last month or of this one.
    fn measured(&self, measure: Measure, amount: Option<Amount>) -> Option<String> {
        let amount = amount?;
        Some(match measure {
            Measure::Rows => self.whole(amount),
            Measure::Variance | Measure::Unexplained => self.money(Some(amount), "USD"),
            _ => number_text(self.language.amount(amount), &amount.to_string()),
        })
    }

    /// By how much it is more or less; dollars are a debit or a credit.
    fn difference(&self, measure: Measure, amount: Option<Amount>) -> Option<String> {
        let amount = amount?;
        let size = Amount::new(amount.units().saturating_abs(), amount.scale()).unwrap_or(amount);
        let shown = match measure {
            Measure::Variance | Measure::Unexplained => {
                return Some(self.money(Some(amount), "USD"));
            }
            Measure::Rows => self.whole(size),
            _ => number_text(self.language.amount(size), &size.to_string()),
        };
        let word = match amount.units() < 0 {
            true => self.pick("less", "de moins"),
            false => self.pick("more", "de plus"),
        };
        Some(format!("{shown}\u{a0}{word}"))
    }

    /// A count of rows, which has no fraction and no sign.
    fn whole(&self, rows: Amount) -> String {
        let rows = u64::try_from(rows.units().unsigned_abs()).unwrap_or(u64::MAX);
        self.language.count(rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::reconcile::statement::Statement;
    use crate::report::beside::drifted;
    use crate::report::material::Material;
    use crate::report::month;
    use crate::report::page::page;
    use crate::report::words::Language::{self, English, French};

    /// The part of the page, and page one.
    fn part(statement: &Statement, language: Language) -> (String, String) {
        let page = page(Material::of(statement), language).unwrap();
        let section = |id: &str| {
            let (_, rest) = page.split_once(id).unwrap();
            rest.split_once("</section>").unwrap().0.to_owned()
        };
        let parts = (section("<section id=\"drift\""), section("id=\"page-one\""));
        assert!(page.contains("<a href=\"#drift\">"), "the contents name it");
        parts
    }

    #[test]
    fn what_moved_stands_after_the_months_without_a_bare_sign() {
        let (english, first) = part(&drifted(), English);
        for said in [
            "Compared with 2024-03.",
            "1,048,569\u{a0}more",
            "0.01\u{a0}less",
            "decimal(20,4)",
            "another type",
            "999.00\u{a0}Cr\u{a0}USD",
            "no difference: balances",
            "INVESTIGATE",
        ] {
            assert!(english.contains(said), "{said} in {english}");
        }
        assert!(!english.contains('\u{2212}') && !english.contains(">-"));
        assert!(!first.contains("Drift"), "page one has its eight parts");
        let (french, _) = part(&drifted(), French);
        for said in [
            "Comparé à 2024-03.",
            "1\u{202f}048\u{202f}569\u{a0}de plus",
            "autre type",
            "disparu",
            "À EXAMINER",
        ] {
            assert!(french.contains(said), "{said} in {french}");
        }
    }

    #[test]
    fn without_last_month_that_is_said_and_nothing_else() {
        let (none, _) = part(&month::planted(), English);
        assert!(
            none.contains("Not known: no earlier month was judged"),
            "{none}"
        );
        assert!(!none.contains("<table"));
        let mut same = drifted();
        let drift = same.drift.as_mut().unwrap();
        drift.items.clear();
        drift.lines.clear();
        let (same, _) = part(&same, English);
        assert!(same.contains("Compared with 2024-03.") && same.contains(">None.<"));
        assert!(!same.contains("<table"));
    }
}
