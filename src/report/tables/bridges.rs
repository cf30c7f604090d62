//! The tables of what bridges consist of: B1 and B2 voucher by voucher, and what is in neither of them.
//!
//! Rows of a company stand together, the largest amount first. Amounts called used, delivered and remaining are as the shop
//! signs them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::behind::Behind;
use super::{Adds, Cell, Column, Kind, Table};
use crate::domain::amount::Amount;
use crate::kernels::bridges::timing::{TimingCompany, TimingRow};
use crate::kernels::bridges::vtc::{VtcCompany, VtcRow};
use crate::report::material::count;

/// Currencies by company.
pub(super) struct Currencies<'a>(BTreeMap<&'a str, &'a str>);

impl Currencies<'_> {
    /// Company and currency.
    pub(super) fn place(&self, company: &str) -> Vec<Cell> {
        vec![company.into(), self.0.get(company).copied().into()]
    }
}

impl<'a> Behind<'a> {
    pub(super) fn currencies(&self) -> Currencies<'a> {
        let buckets = self.all();
        let currencies = buckets.map(|(_, bucket)| (&*bucket.company, &*bucket.currency));
        Currencies(currencies.collect())
    }

    /// Columns of a company and more.
    pub(super) fn of_company(&self, more: impl IntoIterator<Item = Column>) -> Vec<Column> {
        let mut columns = vec![self.c.company(), self.c.currency()];
        columns.extend(more);
        columns
    }

    /// An amount as its source signs it.
    pub(super) fn as_stored(&self, name: &str, english: &str, french: &str) -> Column {
        let column = self.c.number(name, english, french);
        column.adds(Adds::ByCurrency)
    }

    /// What of bridges, lists and matching could not be computed.
    pub(super) fn not_computed(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("what", "What", "Quoi"),
            c.text("why", "Why", "Pourquoi"),
        ];
        let title = ["Not computed", "Non calculé"];
        let mut table = self.table("not_computed", title, columns);
        let left = self.material.explained.not_computed.into_iter().flatten();
        table.rows = left
            .map(|(what, why)| vec![what.into(), why.into()])
            .collect();
        table
    }

    pub(super) fn timing(&self) -> impl Iterator<Item = (&'a String, &'a TimingCompany)> {
        let timing = self.material.explained.timing.into_iter();
        timing.flat_map(|timing| &timing.companies)
    }

    pub(super) fn vtc(&self) -> impl Iterator<Item = (&'a String, &'a VtcCompany)> {
        let vtc = self.material.explained.vtc.into_iter();
        vtc.flat_map(|vtc| &vtc.companies)
    }

    pub(super) fn timing_by_company(&self) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.local("amount", "B1 LCY", "B1 devise locale"),
            c.count("vouchers", "Vouchers", "Bons"),
            c.count("without_jdash", "Not in JDASH", "Absents de JDASH"),
            c.local(
                "amount_without_jdash",
                "Delivered, not in JDASH, LCY",
                "Livrés, absents de JDASH, devise locale",
            ),
            c.count("doubtful", "Not counted", "Non comptés"),
            c.count("undecided", "Undecided rows", "Lignes indécises"),
        ]);
        let title = ["B1 timing, by company", "B1 décalage, par société"];
        let mut table = self.table("b1_by_company", title, columns);
        table.rows.extend(self.timing().map(|(company, found)| {
            let lacking = found.rows.iter().filter(|row| row.jdash.is_none());
            let mut row = of.place(company);
            row.extend([
                found.amount.into(),
                count(found.rows.len()).into(),
                count(lacking.count()).into(),
                found.amount_without_jdash.into(),
                count(found.doubtful.len()).into(),
                found.undecided.into(),
            ]);
            row
        }));
        table
    }

    /// Every voucher of B1: their amounts are the bridge.
    pub(super) fn timing_vouchers(&self) -> Table {
        let title = ["B1 timing, voucher by voucher", "B1 décalage, bon par bon"];
        self.of_timing("b1_vouchers", title, |_| true)
    }

    /// Those of them that JDASH does not have.
    pub(super) fn timing_without_jdash(&self) -> Table {
        let title = [
            "B1 vouchers that JDASH does not have",
            "Bons de B1 absents de JDASH",
        ];
        self.of_timing("b1_without_jdash", title, |row| row.jdash.is_none())
    }

    fn of_timing(
        &self,
        name: &'static str,
        title: [&'static str; 2],
        is_shown: impl Fn(&TimingRow) -> bool,
    ) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.text("voucher", "Voucher", "Bon"),
            self.as_stored("used", "Used (JDASH)", "Utilisé (JDASH)"),
            self.as_stored("delivered", "Used and delivered", "Utilisé et livré"),
            c.local("amount", "B1 LCY", "B1 devise locale"),
        ]);
        let mut table = self.table(name, title, columns);
        for (company, found) in self.timing() {
            let rows = found.rows.iter().filter(|row| is_shown(row));
            let mut rows: Vec<&TimingRow> = rows.collect();
            rows.sort_by_key(|row| Reverse(size(row.amount)));
            table.fill(self.rows_max, rows.into_iter(), |found| {
                let mut row = of.place(company);
                row.extend([
                    (&found.key).into(),
                    found.jdash.into(),
                    found.delivered.into(),
                    found.amount.into(),
                ]);
                row
            });
        }
        table
    }

    /// What JDASH has and B1 does not count. A file that names no company says no currency.
    pub(super) fn jdash_only(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("voucher", "Voucher", "Bon"),
            c.number("used", "Used (JDASH)", "Utilisé (JDASH)"),
            c.text("because", "Why it is not counted", "Pourquoi non compté"),
            c.text("companies", "Companies", "Sociétés"),
        ];
        let title = ["In JDASH and not in B1", "Dans JDASH et non dans B1"];
        let mut table = self.table("b1_jdash_only", title, columns);
        let timing = self.material.explained.timing.into_iter();
        let mut only: Vec<_> = timing.flat_map(|timing| &timing.jdash_only).collect();
        only.sort_by_key(|only| Reverse(size(only.amount)));
        table.fill(self.rows_max, only.into_iter(), |only| {
            let companies: Vec<&str> = only.companies.iter().map(String::as_str).collect();
            vec![
                (&only.key).into(),
                only.amount.into(),
                self.language.jdash_only(only.why).into(),
                companies.join(", ").into(),
            ]
        });
        table
    }

    pub(super) fn vtc_by_company(&self) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.local("amount", "B2 LCY", "B2 devise locale"),
            c.count("vouchers", "Vouchers", "Bons"),
            c.count("booked", "Booked", "Comptabilisés"),
            self.as_stored(
                "booked_amount",
                "Booked, remaining",
                "Comptabilisés, restant",
            ),
            c.count("carried", "Carried forward", "Reportés"),
            self.as_stored("carried_amount", "Carried, remaining", "Reportés, restant"),
            c.count("not_judged", "Of earlier years", "D'années antérieures"),
            c.count(
                "ledger_rows_without_key",
                "Cancellations that name no voucher",
                "Annulations sans numéro de bon",
            ),
            c.local(
                "ledger_amount_without_key",
                "Their amount LCY",
                "Leur montant devise locale",
            ),
            c.count("doubtful", "Not counted", "Non comptés"),
            c.count("undecided", "Undecided rows", "Lignes indécises"),
        ]);
        let title = [
            "B2 VTC, by company, and cancellations that name no voucher",
            "B2 VTC, par société, et annulations sans numéro de bon",
        ];
        let mut table = self.table("b2_by_company", title, columns);
        table.rows.extend(self.vtc().map(|(company, found)| {
            let mut row = of.place(company);
            row.extend([
                found.amount.into(),
                count(found.rows.len()).into(),
                found.booked.into(),
                found.booked_amount.into(),
                count(found.carried.len()).into(),
                found.carried_amount.into(),
                count(found.not_judged.len()).into(),
                found.ledger_rows_without_key.into(),
                found.ledger_amount_without_key.into(),
                count(found.doubtful.len()).into(),
                found.undecided.into(),
            ]);
            row
        }));
        table
    }

    /// Columns of a cancelled voucher.
    fn cancelled(&self, more: Column) -> Vec<Column> {
        let c = self.c;
        self.of_company([
            c.text("voucher", "Voucher", "Bon"),
            self.as_stored("remaining", "Remaining", "Restant"),
            c.of(Kind::Date, "inactive", "Inactive from", "Inactif depuis"),
            c.count("age_months", "Age in months", "Âge en mois"),
            more,
        ])
    }

    /// Every voucher of B2: their amounts are the bridge.
    pub(super) fn vtc_vouchers(&self) -> Table {
        let of = self.currencies();
        let columns = self.cancelled(self.c.local("amount", "B2 LCY", "B2 devise locale"));
        let title = ["B2 VTC, voucher by voucher", "B2 VTC, bon par bon"];
        let mut table = self.table("b2_vouchers", title, columns);
        for (company, found) in self.vtc() {
            table.fill(self.rows_max, largest(&found.rows).into_iter(), |found| {
                let mut row = of.place(company);
                row.extend(cancelled(found));
                row.push(opposite(found.remaining).into());
                row
            });
        }
        table
    }

    /// Cancelled vouchers of earlier months that explain nothing: not booked since, or too old to be judged.
    pub(super) fn vtc_carried(&self) -> Table {
        let of = self.currencies();
        let columns = self.cancelled(self.c.text("state", "State", "État"));
        let title = ["VTC carried forward", "VTC reportés"];
        let mut table = self.table("vtc_carried", title, columns);
        let carried = self.language.pick("not booked", "non comptabilisé");
        let not_judged = self.language.pick(
            "of an earlier year, whose ledger was not looked at",
            "d'une année antérieure, grand livre non examiné",
        );
        for (company, found) in self.vtc() {
            for (rows, state) in [(&found.carried, carried), (&found.not_judged, not_judged)] {
                table.fill(self.rows_max, largest(rows).into_iter(), |found| {
                    let mut row = of.place(company);
                    row.extend(cancelled(found));
                    row.push(state.into());
                    row
                });
            }
        }
        table
    }
}

/// The cells of a cancelled voucher after its company.
fn cancelled(row: &VtcRow) -> [Cell; 4] {
    [
        (&row.key).into(),
        row.remaining.into(),
        row.inactive.into(),
        Cell::Count(i64::from(row.age_months)),
    ]
}

fn largest(rows: &[VtcRow]) -> Vec<&VtcRow> {
    let mut rows: Vec<&VtcRow> = rows.iter().collect();
    rows.sort_by_key(|row| Reverse(size(row.remaining)));
    rows
}

fn size(amount: Amount) -> u128 {
    amount.units().unsigned_abs()
}

/// The amount with the other sign; an amount of 38 digits has one.
pub(super) fn opposite(amount: Amount) -> Option<Amount> {
    Amount::new(-amount.units(), amount.scale()).ok()
}
