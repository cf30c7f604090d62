//! The table of what is not as it was in an earlier month.

use super::behind::Behind;
use super::{Cell, Table};
use crate::domain::reconcile::drift::Presence;
use crate::domain::reconcile::result::Status;
use crate::report::drift::{Move, Values, listed};

impl Behind<'_> {
    /// One row for each thing that moved: numbers with their unit, all else as texts.
    pub(super) fn drift(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("since", "Compared with", "Comparé à"),
            c.text("subject", "Item or line", "Élément ou ligne"),
            c.text("measure", "What is compared", "Ce qui est comparé"),
            c.text("column", "Column", "Colonne"),
            c.text("unit", "Unit and sign", "Unité et signe"),
            c.number("before", "Before", "Avant"),
            c.number("now", "Now", "Maintenant"),
            c.number("difference", "Difference", "Différence"),
            c.text("before_text", "Before, text", "Avant, texte"),
            c.text("now_text", "Now, text", "Maintenant, texte"),
            c.text("note", "Note", "Remarque"),
        ];
        let title = match self.statement.drift {
            Some(_) => [
                "Drift since an earlier month",
                "Évolution depuis un mois antérieur",
            ],
            None => [
                "Drift: not known, no earlier month was judged",
                "Évolution : inconnue, aucun mois antérieur n'a été jugé",
            ],
        };
        let mut table = self.table("drift", title, columns);
        if let Some(drift) = &self.statement.drift {
            let since = drift.since.to_string();
            let moves = listed(drift).into_iter();
            table.rows = moves.map(|one| self.moved(&since, one)).collect();
        }
        table
    }

    fn moved(&self, since: &str, one: Move<'_>) -> Vec<Cell> {
        let of = self.language;
        let mut row: Vec<Cell> = vec![
            since.into(),
            one.subject.into(),
            of.measure(one.measure).into(),
            filled(one.column),
            filled(of.unit(one.measure)),
        ];
        let (numbers, texts) = match one.values {
            Values::Numbers(moved) => (Some(moved), [Cell::None, Cell::None]),
            Values::Texts(before, now) => (None, [before.into(), now.into()]),
            Values::Status(status) => {
                let word = |status: Option<Status>| Cell::from(status.map(Status::word));
                (None, [word(status.before), word(status.now)])
            }
            Values::Presence(presence) => {
                let unless = |absent: Presence| Cell::from(of.yes_no(presence != absent));
                (None, [unless(Presence::New), unless(Presence::Gone)])
            }
        };
        row.extend([
            numbers.and_then(|moved| moved.before).into(),
            numbers.and_then(|moved| moved.now).into(),
            numbers.and_then(|moved| moved.difference).into(),
        ]);
        row.extend(texts);
        row.push(filled(of.drift_note(one.note)));
        row
    }
}

/// A text, or that there is none.
fn filled(text: &str) -> Cell {
    Cell::from((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use crate::domain::reconcile::drift::Drift;
    use crate::domain::reconcile::statement::Statement;
    use crate::report::beside::drifted;
    use crate::report::material::Material;
    use crate::report::month;
    use crate::report::tables::tests::cells;
    use crate::report::tables::{Table, parquet, tables};
    use crate::report::words::Language::{self, English, French};

    fn table(statement: &Statement, language: Language) -> Table {
        let all = tables(Material::of(statement), language).unwrap();
        let mut all = all.into_iter();
        all.find(|table| table.name == "drift").unwrap()
    }

    #[test]
    fn everything_that_moved_is_a_row_with_its_unit() {
        let statement = drifted();
        let names = [
            "subject",
            "measure",
            "column",
            "before",
            "now",
            "difference",
            "before_text",
            "now_text",
            "note",
        ];
        let moved = table(&statement, English);
        let rows: Vec<String> = cells(&moved, &names)
            .iter()
            .map(|row| row.join(" | "))
            .collect();
        for wanted in [
            "CR_03 | rows | none | 7 | 1048576 | 1048569 | none | none | none",
            "CR_04 | contract of the item | none | none | none | none | v1 | v2 | none",
            "CR_04 | column | amount | none | none | none | decimal(19,4) | decimal(20,4) | another type",
            "CR_04 | column | by | none | none | none | none | varchar(20) | added",
            "CR_04 | column | status | none | none | none | int | none | removed",
            "CR_05 | rows | none | none | 3145728 | none | none | none | not known in one of the months",
            "IPE_07 | total | amount | 3950617284.37 | 3950617284.36 | -0.01 | none | none | none",
            "JDASH | in the contract | none | none | none | none | no | yes | new",
            "IPE_99 | in the contract | none | none | none | none | yes | no | gone",
            "L1 | status | none | none | none | none | OK | INVESTIGATE | none",
        ] {
            assert!(
                rows.iter().any(|row| row == wanted),
                "{wanted} in {rows:#?}"
            );
        }
        let units = cells(&moved, &["since", "unit"]);
        assert_eq!(units[0], ["2024-03", "rows"]);
        let lines = rows.iter().filter(|row| row.starts_with("L1 | variance"));
        assert_eq!(lines.count(), 1, "{rows:#?}");
        assert_eq!(table(&statement, French).rows.len(), rows.len());
        assert!(parquet(&moved).is_ok());
    }

    #[test]
    fn without_last_month_the_title_says_so_and_what_is_the_same_has_no_row() {
        let mut statement = month::planted();
        let none = table(&statement, English);
        assert!(none.rows.is_empty());
        assert!(none.title.ends_with("no earlier month was judged"));
        statement.drift = Some(Drift {
            since: "2024-03".parse().unwrap(),
            items: Vec::new(),
            lines: Vec::new(),
        });
        let same = table(&statement, English);
        assert!(same.rows.is_empty());
        assert_eq!(same.title, "Drift since an earlier month");
    }
}
