//! What bridges consist of, voucher by voucher, and what is only listed.

use super::View;
use super::html::{Markup, el, link};

/// Rows of one table that the page shows; all are in the table of its name.
pub(super) const ROWS_MAX: usize = 200;

impl View<'_> {
    /// A bridge's name or amount, with the way to what it consists of.
    pub(super) fn bridge(&self, bridge: &str, text: String) -> Markup {
        let id = match bridge {
            "B1" => "bridge-b1",
            "B2" => "bridge-b2",
            _ => "explained",
        };
        link(id, text)
    }

    /// B1 to B5, the voucher account, and what joins would have done.
    pub(super) fn explained(&self) -> Markup {
        let of = self.material.explained;
        let heading = self.pick("Bridges and vouchers", "Ponts et bons");
        let note = self.note(self.pick(
            "Of long tables the first rows are here; workbook and tables have all. Numbers of customers are personal: the sealed judgement has them.",
            "Les longues tables ne montrent ici que leurs premières lignes ; le classeur et les tables ont tout. Les numéros de clients sont personnels : le jugement scellé les a.",
        ));
        let timing = [
            "b1_by_company",
            "b1_vouchers",
            "b1_without_jdash",
            "b1_jdash_only",
        ];
        let vtc = ["b2_by_company", "b2_vouchers", "vtc_carried"];
        let lists = [
            (
                "bridge-b3",
                "b3_posting_groups",
                of.posting_groups.is_some(),
            ),
            ("bridge-b4", "b4_business_lines", of.reclass.is_some()),
            ("bridge-b5", "b5_labels", of.labels.is_some()),
        ];
        let mut inner = note.and(self.beginning("not_computed", ROWS_MAX));
        inner = inner
            .and(self.tables_of("bridge-b1", "B1", of.timing.is_some(), &timing))
            .and(self.tables_of("bridge-b2", "B2", of.vtc.is_some(), &vtc));
        let is_bridged = of.timing.is_some() || of.vtc.is_some();
        let doubts = self.pick("B1 and B2, not counted", "B1 et B2, non comptés");
        inner = inner.and(self.tables_of("doubts", doubts, is_bridged, &["bridge_doubts"]));
        for (id, table, is_known) in lists {
            let heading = id.trim_start_matches("bridge-").to_uppercase();
            inner = inner.and(self.tables_of(id, &heading, is_known, &[table]));
        }
        let vouchers = self.pick("Voucher account", "Compte des bons");
        let tables = ["voucher_flows", "voucher_categories"];
        let is_known = of.vouchers.is_some();
        inner = inner.and(self.tables_of("vouchers", vouchers, is_known, &tables));
        let joins = self.pick("Joins", "Jointures");
        let is_joined = is_bridged || is_known;
        inner = inner.and(self.tables_of("joins", joins, is_joined, &["join_audits"]));
        self.part("explained", heading, inner)
    }

    /// Tables below a heading; what was not computed is not shown as nothing.
    fn tables_of(&self, id: &str, heading: &str, is_known: bool, names: &[&str]) -> Markup {
        let heading = el("h3", &[], heading);
        let inner = match is_known {
            true => {
                let tables = names.iter().map(|name| self.beginning(name, ROWS_MAX));
                tables.collect()
            }
            false => self.note(self.pick(
                "Not computed for this statement.",
                "Non calculé pour cet état.",
            )),
        };
        el("div", &[("id", id)], heading.and(inner))
    }
}
