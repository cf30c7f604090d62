//! The tables of rows behind balances: candidates and open rows, each with whether it reaches the line-item threshold of its
//! country, and how many do. No verdict rests on it.

use super::behind::Behind;
use super::first::place;
use super::{Cell, Column, Kind, Table};
use crate::domain::amount::Amount;
use crate::domain::matching::{ScopeMatch, Side};
use crate::domain::reconcile::result::Bucket;
use crate::report::material::count;

/// Rows of one list that were looked at.
struct Listing<'a> {
    /// Which rows they are.
    kind: &'a str,
    bucket: Option<&'a Bucket>,
    /// Amounts of those that are listed; `None` where a row has none.
    amounts: Vec<Option<Amount>>,
    /// How many more there are.
    unlisted: u64,
}

impl<'a> Behind<'a> {
    /// The candidates that are named, and in one row of each bucket how many its list leaves out. Their amounts are added to
    /// nothing: each is the whole of what is unexplained.
    pub(super) fn candidates(&self) -> Table {
        let c = self.c;
        let mut columns = self.placed([
            c.text("item", "Item", "Élément"),
            c.text("key", "Row key", "Clé de la ligne"),
            c.of(
                Kind::Amount,
                "amount",
                "Amount LCY",
                "Montant devise locale",
            ),
        ]);
        columns.extend(self.by_line_item());
        let title = [
            "Candidates: rows that alone have an unexplained amount; they prove nothing",
            "Lignes candidates : chacune a à elle seule un montant inexpliqué ; elles ne prouvent rien",
        ];
        let mut table = self.table("candidates", title, columns);
        for (line, bucket) in self.all() {
            table.rows.extend(bucket.rows.iter().map(|found| {
                let mut row = place(line, bucket);
                let key = found.key.join(" | ");
                row.extend([found.item.as_str().into(), key.into(), found.amount.into()]);
                row.extend(self.against(Some(bucket), found.amount));
                row
            }));
            if bucket.rows_unlisted > 0 {
                let mut row = place(line, bucket);
                let key = self.language.more_rows(bucket.rows_unlisted);
                row.extend([Cell::None, key.into(), Cell::None]);
                row.extend([Cell::None, Cell::None, Cell::None]);
                table.rows.push(row);
            }
        }
        table
    }

    /// The open rows that were listed, and in one row what their list leaves out.
    pub(super) fn open_items(&self) -> Table {
        let c = self.c;
        let mut columns = self.placed([
            c.text("side", "Side", "Côté"),
            c.text("key", "Row key", "Clé de la ligne"),
            c.either("amount", "Amount LCY", "Montant devise locale"),
            c.of(Kind::Date, "date", "Date", "Date"),
            c.count("age_months", "Age in months", "Âge en mois"),
            c.text("because", "Why it is open", "Pourquoi elle est ouverte"),
        ]);
        columns.extend(self.by_line_item());
        let mut table = self.table("open_items", ["Open rows", "Lignes ouvertes"], columns);
        for (line, scope) in self.scopes() {
            let bucket = self.bucket_of(line, scope);
            for side in [Side::Actual, Side::Target] {
                let open = scope.open.of(side);
                for item in &open.items {
                    let mut row = self.scope(line, scope);
                    row.extend([
                        self.language.side(side).into(),
                        item.key.as_ref().into(),
                        item.amount.into(),
                        item.date.into(),
                        item.age_months.map_or(Cell::None, Cell::Count),
                        self.language.because(item.because).into(),
                    ]);
                    row.extend(self.against(bucket, Some(item.amount)));
                    table.rows.push(row);
                }
                if open.unlisted > 0 {
                    let key = self.language.more_rows(open.unlisted);
                    let mut row = self.scope(line, scope);
                    let (side, sum) = (self.language.side(side), open.unlisted_sum);
                    row.extend([side.into(), key.into(), sum.into()]);
                    row.resize(table.columns.len(), Cell::None);
                    table.rows.push(row);
                }
            }
        }
        table
    }

    /// How many of the rows that are listed reach the line-item threshold. Open rows are listed from the largest on.
    pub(super) fn line_items(&self) -> Table {
        let c = self.c;
        let [_, usd, rule] = self.by_line_item();
        let columns = self.placed([
            c.text("kind", "Rows", "Lignes"),
            c.count("listed", "Listed", "Listées"),
            c.count("reaching", "Reach it", "L'atteignent"),
            c.count("not_known", "Not known", "Inconnues"),
            c.count("unlisted", "Not listed", "Non listées"),
            usd,
            rule,
        ]);
        let title = [
            "Rows that reach the line-item threshold; no verdict rests on it",
            "Lignes qui atteignent le seuil par ligne ; aucun verdict n'en dépend",
        ];
        let mut table = self.table("line_items", title, columns);
        let of = self.language;
        let kind = of.pick("candidates", "lignes candidates");
        for (line, bucket) in self.all().filter(|(_, bucket)| !bucket.rows.is_empty()) {
            let mut row = place(line, bucket);
            row.extend(counted(&Listing {
                kind,
                bucket: Some(bucket),
                amounts: bucket.rows.iter().map(|found| found.amount).collect(),
                unlisted: bucket.rows_unlisted,
            }));
            table.rows.push(row);
        }
        for (line, scope) in self.scopes() {
            for side in [Side::Actual, Side::Target] {
                let open = scope.open.of(side);
                if open.items.is_empty() {
                    continue;
                }
                let mut row = self.scope(line, scope);
                let kind = of.pick("open rows", "lignes ouvertes");
                row.extend(counted(&Listing {
                    kind: &format!("{kind}, {}", of.side(side)),
                    bucket: self.bucket_of(line, scope),
                    amounts: open.items.iter().map(|item| Some(item.amount)).collect(),
                    unlisted: open.unlisted,
                }));
                table.rows.push(row);
            }
        }
        table
    }

    /// Columns that say whether a row reaches the line-item threshold, and which that is.
    fn by_line_item(&self) -> [Column; 3] {
        let c = self.c;
        [
            c.text(
                "reaches_line_item",
                "Reaches the line-item threshold",
                "Atteint le seuil par ligne",
            ),
            c.number(
                "line_item_usd",
                "Line-item threshold USD",
                "Seuil par ligne USD",
            ),
            c.text(
                "line_item_rule",
                "Rule of the line-item threshold",
                "Règle du seuil par ligne",
            ),
        ]
    }

    fn against(&self, bucket: Option<&Bucket>, amount: Option<Amount>) -> [Cell; 3] {
        let threshold = bucket.and_then(|bucket| bucket.line_item.as_ref());
        let reached = bucket.zip(amount);
        let reached = reached.and_then(|(bucket, amount)| bucket.reaches_line_item(amount));
        [
            self.language.reached(reached).into(),
            threshold.map(|threshold| threshold.usd).into(),
            threshold.map(|threshold| &threshold.rule).into(),
        ]
    }

    /// The bucket that rows of a company and account are behind, if one is.
    fn bucket_of(&self, line: &str, scope: &ScopeMatch) -> Option<&'a Bucket> {
        let mut all = self.all();
        let own = all.find(|(own, bucket)| {
            let is_its = match &bucket.gl {
                Some(gl) => *gl == scope.gl,
                None => own.gls.contains(&scope.gl),
            };
            own.id == line && bucket.company == scope.company && is_its
        });
        own.map(|(_, bucket)| bucket)
    }
}

/// What rows are counted, how many reach the threshold, of how many nobody knows, and the threshold.
fn counted(rows: &Listing<'_>) -> [Cell; 7] {
    let said = rows.amounts.iter().map(|amount| {
        let (bucket, amount) = rows.bucket.zip(*amount)?;
        bucket.reaches_line_item(amount)
    });
    let of = |word: Option<bool>| count(said.clone().filter(|one| *one == word).count());
    let threshold = rows.bucket.and_then(|bucket| bucket.line_item.as_ref());
    [
        rows.kind.into(),
        count(rows.amounts.len()).into(),
        of(Some(true)).into(),
        of(None).into(),
        rows.unlisted.into(),
        threshold.map(|threshold| threshold.usd).into(),
        threshold.map(|threshold| &threshold.rule).into(),
    ]
}

#[cfg(test)]
mod tests {
    use crate::domain::matching::{Listed, OpenBecause, OpenItem, RowPlace, ScopeMatch, Sides};
    use crate::report::material::{LineMatch, Material};
    use crate::report::month;
    use crate::report::tables::tests::cells;
    use crate::report::tables::{Table, tables};
    use crate::report::words::Language::{self, English, French};

    fn open(amounts: &[&str], unlisted: u64) -> Listed<OpenItem> {
        let item = |amount: &&str| OpenItem {
            key: None,
            because: OpenBecause::NoKey,
            amount: month::amount(amount),
            date: None,
            age_months: None,
            place: RowPlace { part: 0, row: 0 },
        };
        Listed {
            items: amounts.iter().map(item).collect(),
            unlisted,
            unlisted_sum: month::amount("0.00"),
        }
    }

    fn scope(company: &str, gl: &str, ledger: Listed<OpenItem>) -> ScopeMatch {
        let zero = || month::amount("0.00");
        ScopeMatch {
            company: company.to_owned(),
            gl: gl.to_owned(),
            rows: Sides::default(),
            sums: Sides {
                actual: zero(),
                target: zero(),
            },
            classes: Default::default(),
            ageing: Sides::default(),
            open: Sides {
                actual: ledger,
                target: open(&[], 0),
            },
            groups: Default::default(),
        }
    }

    /// Tables of the planted month with open rows of two lines.
    fn all(language: Language) -> Vec<Table> {
        let statement = month::planted();
        let of = |line: &str, scopes: Vec<ScopeMatch>| LineMatch {
            line: line.to_owned(),
            scopes,
        };
        // 500 dollars are 825000 NGN; Uganda has no rate; 18412 of Egypt has a threshold of its own, 244500 EGP.
        let nigeria = open(&["-825000.00", "824999.99"], 7);
        let matches = [
            of("L1", vec![scope("EC_NG", "13003", nigeria)]),
            of("L4", vec![scope("JD_UG", "18350", open(&["1.00"], 0))]),
            of(
                "L6",
                vec![
                    scope("JM_EG", "18412", open(&["244500.00", "244499.99"], 0)),
                    scope("JM_EG", "", open(&["244500.00"], 0)),
                ],
            ),
        ];
        let material = Material {
            matches: &matches,
            ..Material::of(&statement)
        };
        tables(material, language).unwrap()
    }

    fn named(language: Language, name: &str, columns: &[&str]) -> Vec<String> {
        let all = all(language);
        let table = all.iter().find(|table| table.name == name).unwrap();
        let rows = cells(table, columns).into_iter();
        rows.map(|row| row.join(" | ")).collect()
    }

    #[test]
    fn every_open_row_says_whether_it_reaches_the_line_item_threshold_and_by_which_rule() {
        let columns = [
            "company",
            "amount",
            "reaches_line_item",
            "line_item_usd",
            "line_item_rule",
        ];
        let wanted = [
            "EC_NG | -825000.00 | yes | 500.00 | DEFAULT v1 line-item",
            "EC_NG | 824999.99 | no | 500.00 | DEFAULT v1 line-item",
            "EC_NG | 0.00 | none | none | none",
            "JD_UG | 1.00 | not known | 500.00 | DEFAULT v1 line-item",
            "JM_EG | 244500.00 | yes | 5000.00 | EG v1 line-item",
            "JM_EG | 244499.99 | no | 5000.00 | EG v1 line-item",
            "JM_EG | 244500.00 | not known | none | none",
        ];
        assert_eq!(named(English, "open_items", &columns), wanted);
        let french = named(French, "open_items", &["reaches_line_item"]);
        assert_eq!(french[..2], ["oui", "non"]);
        assert_eq!(french[3], "inconnu");
    }

    #[test]
    fn rows_that_reach_it_are_counted() {
        let columns = [
            "company",
            "kind",
            "listed",
            "reaching",
            "not_known",
            "unlisted",
        ];
        let counted = named(English, "line_items", &columns);
        for wanted in [
            "EC_NG | candidates | 1 | 1 | 0 | 0",
            "JD_UG | candidates | 1 | 0 | 1 | 0",
            "EC_NG | open rows, ledger | 2 | 1 | 0 | 7",
            "JD_UG | open rows, ledger | 1 | 0 | 1 | 0",
            "JM_EG | open rows, ledger | 2 | 1 | 0 | 0",
            "JM_EG | open rows, ledger | 1 | 0 | 1 | 0",
        ] {
            let has = counted.iter().any(|row| row == wanted);
            assert!(has, "{wanted} in {counted:#?}");
        }
        let rules = named(English, "thresholds", &["rule"]);
        for rule in ["DEFAULT v1 line-item", "EG v1 line-item"] {
            assert_eq!(
                rules.iter().filter(|one| *one == rule).count(),
                1,
                "{rules:?}"
            );
        }
    }
}
