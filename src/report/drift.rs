//! What is not as it was last month, one thing a row: what its table and the page are written from, and their words.

use super::words::Language;
use crate::domain::reconcile::drift::{
    ColumnDrift, Drift, ItemDrift, LineDrift, Moved, Presence, SchemaDrift, StatusDrift,
};

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move<'a> {
    /// Item or line.
    pub(super) subject: &'a str,
    pub(super) measure: Measure,
    /// Column of the item; empty where it is of none.
    pub(super) column: &'a str,
    pub(super) values: Values<'a>,
    pub(super) note: Note,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Whether the month has it at all.
    Presence,
    Rows,
    Total,
    /// Version of the item's contract.
    Contract,
    /// The columns as a whole.
    Columns,
    Column,
    Status,
    Variance,
    Unexplained,
}

/// Last month and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values<'a> {
    Numbers(&'a Moved),
    Texts(Option<String>, Option<String>),
    Status(StatusDrift),
    Presence(Presence),
}

/// What is to be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Nothing,
    New,
    Gone,
    Added,
    Removed,
    Retyped,
    NotKnown,
    /// Sums of other balances.
    Partial,
}

/// Items, then lines.
pub(super) fn listed(drift: &Drift) -> Vec<Move<'_>> {
    let items = drift.items.iter().flat_map(of_item);
    items.chain(drift.lines.iter().flat_map(of_line)).collect()
}

fn of_item(drift: &ItemDrift) -> Vec<Move<'_>> {
    let subject = drift.item.as_str();
    let one = |measure, column, values, note| Move {
        subject,
        measure,
        column,
        values,
        note,
    };
    let mut moves: Vec<Move<'_>> = presence(subject, drift.presence).into_iter().collect();
    moves.extend(drift.rows.iter().map(|moved| {
        let note = noted(drift.presence, moved, false);
        one(Measure::Rows, "", Values::Numbers(moved), note)
    }));
    moves.extend(drift.totals.iter().map(|(column, moved)| {
        let note = noted(drift.presence, moved, false);
        one(
            Measure::Total,
            column.as_str(),
            Values::Numbers(moved),
            note,
        )
    }));
    match &drift.schema {
        None => {}
        Some(SchemaDrift::NotKnown) => {
            let values = Values::Texts(None, None);
            moves.push(one(Measure::Columns, "", values, Note::NotKnown));
        }
        Some(SchemaDrift::Changed {
            before,
            now,
            columns,
        }) => {
            if before != now {
                let values = Values::Texts(Some(format!("v{before}")), Some(format!("v{now}")));
                moves.push(one(Measure::Contract, "", values, Note::Nothing));
            }
            moves.extend(columns.iter().map(|(name, column)| {
                let (values, note) = types(column);
                one(Measure::Column, name.as_str(), values, note)
            }));
        }
    }
    moves
}

fn of_line(drift: &LineDrift) -> Vec<Move<'_>> {
    let subject = drift.line.as_str();
    let mut moves: Vec<Move<'_>> = presence(subject, drift.presence).into_iter().collect();
    moves.extend(drift.status.map(|status| Move {
        subject,
        measure: Measure::Status,
        column: "",
        values: Values::Status(status),
        note: of_presence(drift.presence),
    }));
    for (measure, moved) in [
        (Measure::Variance, &drift.variance_usd),
        (Measure::Unexplained, &drift.unexplained_usd),
    ] {
        moves.extend(moved.iter().map(|moved| Move {
            subject,
            measure,
            column: "",
            values: Values::Numbers(moved),
            note: noted(drift.presence, moved, drift.is_partial),
        }));
    }
    moves
}

/// That something is new or gone.
fn presence(subject: &str, presence: Presence) -> Option<Move<'_>> {
    (presence != Presence::Both).then(|| Move {
        subject,
        measure: Measure::Presence,
        column: "",
        values: Values::Presence(presence),
        note: of_presence(presence),
    })
}

fn types(column: &ColumnDrift) -> (Values<'static>, Note) {
    let note = match (&column.before, &column.now) {
        (None, _) => Note::Added,
        (Some(_), None) => Note::Removed,
        (Some(_), Some(_)) => Note::Retyped,
    };
    let before = column.before.as_ref().map(ToString::to_string);
    let now = column.now.as_ref().map(ToString::to_string);
    (Values::Texts(before, now), note)
}

fn of_presence(presence: Presence) -> Note {
    match presence {
        Presence::Both => Note::Nothing,
        Presence::New => Note::New,
        Presence::Gone => Note::Gone,
    }
}

fn noted(presence: Presence, moved: &Moved, is_partial: bool) -> Note {
    let is_known = moved.before.is_some() && moved.now.is_some();
    match (presence, is_known) {
        (Presence::New | Presence::Gone, _) => of_presence(presence),
        (Presence::Both, false) => Note::NotKnown,
        (Presence::Both, true) if is_partial => Note::Partial,
        (Presence::Both, true) => Note::Nothing,
    }
}

impl Language {
    pub(super) fn measure(self, measure: Measure) -> &'static str {
        match measure {
            Measure::Presence => self.pick("in the contract", "au contrat"),
            Measure::Rows => self.pick("rows", "lignes"),
            Measure::Total => "total",
            Measure::Contract => self.pick("contract of the item", "contrat de l'élément"),
            Measure::Columns => self.pick("columns", "colonnes"),
            Measure::Column => self.pick("column", "colonne"),
            Measure::Status => self.pick("status", "statut"),
            Measure::Variance => self.pick("variance", "écart"),
            Measure::Unexplained => self.pick("unexplained", "inexpliqué"),
        }
    }

    /// Unit and sign of what is compared; empty where it is no number.
    pub(super) fn unit(self, measure: Measure) -> &'static str {
        match measure {
            Measure::Rows => self.pick("rows", "lignes"),
            Measure::Total => self.pick("as the source signs it", "signe de la source"),
            Measure::Variance | Measure::Unexplained => {
                self.pick("USD, debit positive", "USD, débit positif")
            }
            Measure::Presence
            | Measure::Contract
            | Measure::Columns
            | Measure::Column
            | Measure::Status => "",
        }
    }

    pub(super) fn drift_note(self, note: Note) -> &'static str {
        match note {
            Note::Nothing => "",
            Note::New => self.pick("new", "nouveau"),
            Note::Gone => self.pick("gone", "disparu"),
            Note::Added => self.pick("added", "ajoutée"),
            Note::Removed => self.pick("removed", "retirée"),
            Note::Retyped => self.pick("another type", "autre type"),
            Note::NotKnown => self.pick(
                "not known in one of the months",
                "inconnu pour l'un des mois",
            ),
            Note::Partial => self.pick(
                "no difference: balances without a rate or a variance are in no sum",
                "sans différence : des soldes sans cours ou sans écart ne sont dans aucune somme",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::beside::drifted;

    #[test]
    fn items_come_before_lines_and_each_thing_that_moved_is_there_once() {
        let statement = drifted();
        let drift = statement.drift.as_ref().unwrap();
        let moves = listed(drift);
        let mut subjects: Vec<&str> = moves.iter().map(|one| one.subject).collect();
        subjects.dedup();
        let items = ["CR_03", "CR_04", "CR_05", "IPE_07", "JDASH", "IPE_99"];
        assert_eq!(subjects[..items.len()], items);
        let lines: Vec<&str> = drift.lines.iter().map(|line| line.line.as_str()).collect();
        assert_eq!(subjects[items.len()..], lines);
        let notes: Vec<Note> = moves.iter().map(|one| one.note).collect();
        for note in [
            Note::Nothing,
            Note::New,
            Note::Gone,
            Note::Added,
            Note::Removed,
            Note::Retyped,
            Note::NotKnown,
            Note::Partial,
        ] {
            assert!(notes.contains(&note), "{note:?} in {moves:?}");
        }
        let is_number = |one: &&Move<'_>| matches!(one.values, Values::Numbers(_));
        let mut numbers = moves.iter().filter(is_number);
        assert!(numbers.all(|one| !Language::English.unit(one.measure).is_empty()));
    }
}
