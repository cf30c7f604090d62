//! Tables of the model as they stand in the page, and the parts of the page that are such tables.

use super::View;
use super::html::{Grid, Head, Markup, Row, el, english, link};
use crate::report::material::count;
use crate::report::tables::{Cell, Column, Kind};

/// Columns whose texts come from the books and rules, which are in English.
const ENGLISH: [&str; 9] = [
    "assumption",
    "why",
    "what",
    "problem",
    "title",
    "reasons",
    "rule",
    "threshold_rule",
    "line_item_rule",
];

impl View<'_> {
    /// A table of the model with all its rows.
    pub(super) fn grid(&self, name: &str) -> Markup {
        self.beginning(name, usize::MAX)
    }

    /// A table of the model with its first rows, and how many more it has.
    pub(super) fn beginning(&self, name: &str, rows_max: usize) -> Markup {
        let Some(table) = self.table(name) else {
            return Markup::none();
        };
        if table.rows.is_empty() {
            let heading = el("h3", &[], table.title);
            return heading.and(self.none());
        }
        let rows = table.rows.iter().take(rows_max).map(|row| {
            let cells = table.columns.iter().zip(row);
            let cells = cells.map(|(column, cell)| self.cell(column, cell));
            Row::from(cells.collect::<Vec<Markup>>())
        });
        let heads = table.columns.iter().map(|column| Head {
            label: column.label.clone(),
            is_number: is_number(column.kind),
        });
        let grid = Grid {
            class: "sort",
            caption: table.title.into(),
            heads: heads.collect(),
            rows: rows.collect(),
        };
        let left = table.rows.len().saturating_sub(rows_max) + table.left;
        let more = match left {
            0 => Markup::none(),
            left => {
                let words = self.pick("rows in the table", "lignes dans la table");
                let left = self.language.count(count(left));
                self.note(format!("+ {left} {words} `{name}`"))
            }
        };
        grid.markup(table.title).and(more)
    }

    fn cell(&self, column: &Column, cell: &Cell) -> Markup {
        let of = self.language;
        match cell {
            Cell::None => "–".into(),
            Cell::Text(text) if text.is_empty() => "–".into(),
            Cell::Text(text) if is_hash(column) => el("code", &[], text),
            Cell::Text(text) if ENGLISH.contains(&column.name.as_str()) => english(text),
            Cell::Text(text) => text.into(),
            Cell::Amount(amount) => match column.kind {
                Kind::Amount => of.dr_cr(*amount).into(),
                _ => number_text(of.amount(*amount), &amount.to_string()).into(),
            },
            Cell::Count(count) => count.to_string().into(),
            Cell::Date(date) => date.to_string().into(),
            Cell::Moment(moment) => moment.format("%Y-%m-%d %H:%M:%S").to_string().into(),
        }
    }

    /// What the page is made of, for readers on a screen.
    pub(super) fn contents(&self) -> Markup {
        let places = [
            (
                "waterfalls",
                self.pick("Target to actual", "De la cible au réel"),
            ),
            (
                "heat",
                self.pick("Variances by company", "Écarts par société"),
            ),
            ("trend", self.pick("Months", "Mois")),
            (
                "drift",
                self.pick(
                    "Drift since an earlier month",
                    "Évolution depuis un mois antérieur",
                ),
            ),
            ("ageing", self.pick("Ageing", "Ancienneté")),
            (
                "drill",
                self.pick("Exceptions in detail", "Exceptions en détail"),
            ),
            ("balances", self.pick("All balances", "Tous les soldes")),
            (
                "entries",
                self.pick("Proposed entries", "Écritures proposées"),
            ),
            ("checks", self.pick("Checks", "Vérifications")),
            ("findings", self.pick("Findings", "Constats")),
            ("rates", self.pick("Rates", "Cours")),
            ("provenance", self.pick("Provenance", "Provenance")),
            (
                "explained",
                self.pick("Bridges and vouchers", "Ponts et bons"),
            ),
        ];
        let links = places
            .into_iter()
            .map(|(id, word)| el("li", &[], link(id, word)));
        let label = self.pick("Behind page one", "Derrière la première page");
        el(
            "nav",
            &[("aria-label", label)],
            el("ul", &[], links.collect::<Markup>()),
        )
    }

    pub(super) fn entries(&self) -> Markup {
        let heading = self.pick("Proposed entries", "Écritures proposées");
        let note = self.note(self.pick(
            "What would bring the ledger to its target. Where the other account is empty, the person who posts names it.",
            "Ce qui ramènerait le grand livre à sa cible. Si l'autre compte est vide, la personne qui comptabilise le nomme.",
        ));
        self.part("entries", heading, note.and(self.grid("proposed_entries")))
    }

    pub(super) fn checks(&self) -> Markup {
        let heading = self.pick("Checks", "Vérifications");
        let inputs = el("div", &[("id", "inputs")], self.grid("inputs"));
        let accepted = el("div", &[("id", "accepted")], self.grid("accepted_checks"));
        let inner = self
            .grid("zero_checks")
            .and(self.grid("zero_differences"))
            .and(inputs)
            .and(self.grid("input_totals"))
            .and(accepted)
            .and(self.grid("residuals"));
        self.part("checks", heading, inner)
    }

    pub(super) fn findings(&self) -> Markup {
        let heading = self.pick("Findings", "Constats");
        let since = el(
            "div",
            &[("id", "since-last-month")],
            self.grid("since_last_month"),
        );
        let left = el("div", &[("id", "not-covered")], self.grid("not_covered"));
        let assumptions = el("div", &[("id", "assumptions")], self.grid("assumptions"));
        let inner = self
            .grid("findings")
            .and(left)
            .and(since)
            .and(assumptions)
            .and(self.grid("dispositions"));
        self.part("findings", heading, inner)
    }

    pub(super) fn rates(&self) -> Markup {
        let heading = self.pick("Rates", "Cours");
        self.part("rates", heading, self.grid("rates"))
    }

    pub(super) fn provenance(&self) -> Markup {
        let heading = self.pick("Provenance", "Provenance");
        let zone = self.note(self.pick(
            "Dates of the sources are compared as they are stored, in each country's own time.",
            "Les dates des sources sont comparées telles qu'elles sont stockées, à l'heure de chaque pays.",
        ));
        let inner = self
            .grid("control")
            .and(self.grid("thresholds"))
            .and(self.grid("sign_offs"))
            .and(zone);
        self.part("provenance", heading, inner)
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Amount | Kind::Number | Kind::Count)
}

fn is_hash(column: &Column) -> bool {
    let name = column.name.as_str();
    name.ends_with("sha256") || ["digest", "fingerprint", "run_id"].contains(&name)
}

/// The rounded text, or all digits where rounding would take some away.
pub(super) fn number_text(shown: String, exact: &str) -> String {
    let (_, fraction) = exact.split_once('.').unwrap_or((exact, ""));
    let digits = fraction.trim_end_matches('0').len();
    if digits <= 2 {
        return shown;
    }
    exact.trim_end_matches('0').to_owned()
}
