//! What remains on vouchers ties to the ledger at both month ends, and every posting is what the rules say it is.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, TimestampMicrosecondType, UInt8Type,
};
use arrow::record_batch::RecordBatch;

use super::life::{CUTOFF, OPENING, TO_LEDGER};
use super::*;
use crate::domain::patterns::TextTest;
use crate::domain::vouchers::{Integration, Sign, UNKNOWN, VOUCHER_RULES, VoucherRules};
use crate::sandbox::data::chart::{ACCOUNTS, COMPANIES, VOUCHERS};
use crate::sandbox::data::events::{DAY_US, day_number};
use crate::sandbox::data::{LedgerSpec, Tables, generate};

type Sums = BTreeMap<String, i128>;

/// One voucher of one stock.
#[derive(Debug, Clone)]
struct Row {
    company: String,
    id: String,
    usage: Option<String>,
    active: Option<u8>,
    to: i64,
    created: i64,
    taken: i64,
    remaining: i128,
}

fn text(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(name).unwrap().as_string::<i32>();
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn value<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str, row: usize) -> Option<T::Native> {
    let column = batch.column_by_name(name).unwrap().as_primitive::<T>();
    column.is_valid(row).then(|| column.value(row))
}

fn batches(tables: &Tables, [database, schema, name]: [&str; 3]) -> Vec<RecordBatch> {
    tables.find(database, schema, name).unwrap().batches.clone()
}

fn stock(tables: &Tables) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches(tables, CLOSING.name) {
        for row in 0..batch.num_rows() {
            let time = |name| value::<TimestampMicrosecondType>(&batch, name, row).unwrap();
            let taken = value::<Date32Type>(&batch, "snapshot_date", row).unwrap();
            rows.push(Row {
                company: text(&batch, "ID_COMPANY", row).unwrap(),
                id: text(&batch, "id", row).unwrap(),
                usage: text(&batch, "business_use", row),
                active: value::<UInt8Type>(&batch, "is_active", row),
                to: time("to_date"),
                created: time("created_at"),
                taken: (i64::from(taken) + 1) * DAY_US,
                remaining: value::<Decimal128Type>(&batch, "remaining_amount", row).unwrap(),
            });
        }
    }
    rows
}

/// A posting on the voucher account.
struct Line {
    company: String,
    posted: i64,
    amount: i128,
    texts: BTreeMap<&'static str, String>,
}

const TEXTS: [(&str, &str); 6] = [
    ("user_id", "User ID"),
    ("document_description", "Document Description"),
    ("document_no", "Document No_"),
    ("document_type", "Document Type"),
    ("bal_account_type", "Bal_ Account Type"),
    ("voucher_no", "Voucher No_"),
];

fn lines(tables: &Tables) -> Vec<Line> {
    let mut lines = Vec::new();
    for batch in batches(tables, ["AIG_Nav_DW", "dbo", "G_L Entries"]) {
        for row in 0..batch.num_rows() {
            let account = text(&batch, "Chart of Accounts No_", row).unwrap();
            if account == ACCOUNTS[VOUCHERS].local {
                let texts = TEXTS
                    .map(|(name, source)| (name, text(&batch, source, row).unwrap_or_default()));
                let posted = value::<TimestampMicrosecondType>(&batch, "Posting Date", row);
                lines.push(Line {
                    company: text(&batch, "id_company", row).unwrap(),
                    posted: posted.unwrap(),
                    amount: value::<Decimal128Type>(&batch, "Amount", row).unwrap(),
                    texts: BTreeMap::from(texts),
                });
            }
        }
    }
    lines
}

fn owed(lines: &[Line], cutoff: i64) -> Sums {
    let mut sums = Sums::new();
    for line in lines.iter().filter(|line| line.posted < cutoff) {
        *sums.entry(line.company.clone()).or_default() += line.amount;
    }
    sums
}

/// What the control takes of the stock of a month end.
type Predicate = fn(&Row, i64) -> bool;

const PREDICATES: [Predicate; 6] = [
    |row, cutoff| row.taken == cutoff,
    |row, cutoff| row.created < cutoff,
    |row, _| row.created >= day_number((2017, 1, 1)) * DAY_US,
    |row, _| row.active == Some(1),
    |row, cutoff| row.to >= cutoff,
    |row, _| !matches!(row.usage.as_deref(), None | Some("marketing")),
];

fn remaining(stock: &[Row], cutoff: i64, predicates: &[Predicate]) -> Sums {
    let mut sums: Sums = COMPANIES.map(|company| (company.code.to_owned(), 0)).into();
    for row in stock
        .iter()
        .filter(|row| predicates.iter().all(|p| p(row, cutoff)))
    {
        *sums.get_mut(&row.company).unwrap() -= row.remaining * TO_LEDGER;
    }
    sums
}

#[test]
fn what_is_left_on_vouchers_is_what_the_ledger_owes_and_each_predicate_counts() {
    for (rows, seed) in [(0, 1), (17, 2), (1_000, 1), (1_000, 99), (20_000, 7)] {
        let tables = generate(LedgerSpec { rows, seed }).unwrap().tables;
        let (stock, lines) = (stock(&tables), lines(&tables));
        for cutoff in [OPENING, CUTOFF] {
            let ledger = owed(&lines, cutoff);
            assert_eq!(
                remaining(&stock, cutoff, &PREDICATES),
                ledger,
                "{rows} {seed}"
            );
            assert!(
                ledger.values().all(|sum| *sum < 0),
                "a liability: {ledger:?}"
            );
            for left_out in 0..PREDICATES.len() {
                let kept = PREDICATES.iter().enumerate();
                let kept = kept.filter(|(place, _)| *place != left_out);
                let kept: Vec<Predicate> = kept.map(|(_, predicate)| *predicate).collect();
                let broken = remaining(&stock, cutoff, &kept);
                // Whether something is issued on the first two days of the month is left to chance.
                let is_seen = left_out != 1 || cutoff == CUTOFF;
                assert!(broken != ledger || !is_seen, "without predicate {left_out}");
            }
        }
    }
}

#[test]
fn the_stock_has_every_case_in_every_company() {
    let tables = generate(LedgerSpec { rows: 9, seed: 4 }).unwrap().tables;
    let stock = stock(&tables);
    for company in COMPANIES.map(|company| company.code) {
        let has = |what: &dyn Fn(&Row) -> bool| {
            stock
                .iter()
                .any(|row| row.company == company && row.taken == CUTOFF && what(row))
        };
        assert!(has(&|row| row.created == CUTOFF - 3_000), "{company}");
        assert!(has(&|row| row.created == CUTOFF), "{company}");
        assert!(has(&|row| row.to == CUTOFF - 3_000), "{company}");
        assert!(has(&|row| row.to == CUTOFF), "{company}");
        assert!(has(&|row| row.active.is_none()), "{company}");
        assert!(
            has(&|row| row.usage.is_none() && row.created >= CUTOFF),
            "{company}"
        );
        assert!(
            !has(&|row| row.usage.is_none() && row.created < CUTOFF),
            "{company}"
        );
    }
    let mut seen = BTreeSet::new();
    for row in &stock {
        assert!(seen.insert((row.taken, &row.company, &row.id)), "{row:?}");
    }
    for open in [0, 2_000] {
        let [company, ..] = &COMPANIES;
        let spec = SystemSpec {
            seed: 1,
            stream: 1,
            open,
        };
        let drawn = u64::try_from(Draw::new(company, spec).count()).unwrap();
        assert_eq!(drawn, (open / 8).max(32));
    }
}

/// Category and type that the rules give, and the rule; texts that are looked up come from the stock.
fn judged(
    rules: &VoucherRules,
    line: &Line,
    usage: Option<&str>,
) -> Option<(String, Option<String>)> {
    let meets = |test: &TextTest| test.is.meet(&line.texts[test.column.as_str()]);
    let integration = if meets(&rules.integration) {
        Integration::Integration
    } else {
        Integration::Manual
    };
    let sign = if line.amount > 0 {
        Sign::Positive
    } else {
        Sign::Negative
    };
    let mut rules = rules.rules.iter();
    let rule = rules.find(|rule| {
        rule.integration == integration && rule.amount == sign && rule.when.iter().all(meets)
    })?;
    let chosen = rule
        .types
        .iter()
        .find(|choice| choice.is.meet(&line.texts[choice.column.as_str()]));
    let chosen = chosen.map(|choice| choice.voucher_type.clone());
    let looked_up = usage.filter(|_| rule.lookup).map(str::to_owned);
    let given = rule.voucher_type.clone().or(chosen).or(looked_up);
    Some((rule.category.clone(), given))
}

#[test]
fn the_rules_say_of_every_posting_what_it_is() {
    let rules = VoucherRules::parse(VOUCHER_RULES).unwrap();
    let tables = generate(LedgerSpec {
        rows: 20_000,
        seed: 7,
    })
    .unwrap()
    .tables;
    let stock = stock(&tables);
    let usages: BTreeMap<(&str, &str), &str> = stock
        .iter()
        .filter_map(|row| {
            Some((
                (row.company.as_str(), row.id.as_str()),
                row.usage.as_deref()?,
            ))
        })
        .collect();
    let mut seen = BTreeSet::new();
    for line in lines(&tables).iter().filter(|line| line.posted < CUTOFF) {
        let document = &line.texts["document_no"];
        let what = format!(
            "{} {document} {}",
            line.company, line.texts["document_description"]
        );
        let usage = usages[&(line.company.as_str(), line.texts["voucher_no"].as_str())];
        let (category, given) = judged(&rules, line, Some(usage)).expect(&what);
        let expected = match &document[..2] {
            "VU" => "Usage",
            "VX" => "Expired",
            "VT" => "VTC",
            "VC" => "Cancellation",
            _ => "Issuance",
        };
        assert_eq!(category, expected, "{what}");
        let label = rules.label(given.as_deref());
        // The rules know no country of Cameroon.
        let is_unknown = line.company == "EC_CM" && document.starts_with("CM");
        let wanted = if is_unknown {
            UNKNOWN
        } else {
            rules.label(Some(usage))
        };
        assert_eq!(label, wanted, "{what}");
        seen.insert((category, label.to_owned()));
        // The negative twin: somebody else's name on it makes it another thing.
        let mut other = BTreeMap::clone(&line.texts);
        other.insert("user_id", "JUMIA\\X".to_owned());
        other.insert("document_description", String::new());
        other.insert("bal_account_type", String::new());
        other.insert("document_type", String::new());
        let other = Line {
            company: line.company.clone(),
            texts: other,
            ..*line
        };
        let other = judged(&rules, &other, Some(usage));
        assert_eq!(other.is_some(), line.amount < 0, "{what}");
    }
    let pairs = rules.pairs.iter();
    let allowed =
        pairs.flat_map(|(category, labels)| labels.iter().map(|l| (category.clone(), l.clone())));
    let not_drawn = BTreeSet::from([("Expired".to_owned(), "refund".to_owned())]);
    let allowed: BTreeSet<_> = allowed.collect();
    let missing: BTreeSet<_> = allowed.difference(&seen).cloned().collect();
    assert_eq!(missing, not_drawn, "every pair of the rules is there");
}
