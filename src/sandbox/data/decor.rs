//! Columns that no amount depends on (descriptions, users, codes): a few arrays drawn once and shared by all batches,
//! so that a wide ledger of ten million rows fits in memory.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt8Array};

use crate::sandbox::data::documents::BATCH_USER;
use crate::sandbox::data::rng::Rng;

/// Rows of a generated batch.
pub(super) const BATCH_ROWS: usize = 8192;
/// Different drawings of each decoration.
const VARIANTS: usize = 8;

const DESCRIPTIONS: [&str; 10] = [
    "Order settlement",
    "Commande livrée – été",
    "Vente à crédit",
    "Refund RF_ customer",
    "Paiement à la livraison  ",
    "Überweisung Händler",
    "طلب عميل",
    "Sales invoice",
    "Reçu n° 12 / Côte d'Ivoire",
    "",
];
const USERS: [&str; 5] = [
    BATCH_USER,
    "JUMIA\\A.DIALLO",
    "JUMIA\\ZOË.N",
    "NAV/K.OTIENO",
    "JUMIA\\M.BENALI",
];
const SOURCE_CODES: [&str; 4] = ["SALES", "CASHRECJNL", "GENJNL", "SALESAPPL"];
const REASON_CODES: [Option<&str>; 4] = [None, Some(""), Some("RETURN"), Some("CORR")];
const DEPARTMENTS: [&str; 4] = ["", "FIN", "OPS", "MKT"];
const DESTINATIONS: [&str; 3] = ["", "LOCAL", "EXPORT"];
const CENTERS: [&str; 2] = ["", "HQ"];
const IC_PARTNERS: [Option<&str>; 4] = [None, None, None, Some("")];

/// One drawing of every decoration, [`BATCH_ROWS`] long.
#[derive(Debug, Clone)]
pub(super) struct Decor {
    pub(super) description: ArrayRef,
    pub(super) user: ArrayRef,
    pub(super) source: ArrayRef,
    pub(super) source_type: ArrayRef,
    pub(super) reason: ArrayRef,
    pub(super) department: ArrayRef,
    pub(super) destination: ArrayRef,
    pub(super) center: ArrayRef,
    pub(super) ic_partner: ArrayRef,
    /// Nulls only.
    pub(super) none: ArrayRef,
    /// Zeros only, as `tinyint`.
    pub(super) zero: ArrayRef,
    /// 0 or 1, mostly 0.
    pub(super) flag: ArrayRef,
}

impl Decor {
    /// The drawings that a seed gives.
    pub(super) fn variants(seed: u64) -> Vec<Self> {
        let mut rng = Rng::new(seed, 0xDEC0);
        (0..VARIANTS).map(|_| Self::draw(&mut rng)).collect()
    }

    /// The same with one user, one description and one source: what somebody entered by hand.
    pub(super) fn by_hand(&self, user: &str, description: &str) -> Self {
        Self {
            user: constant(user),
            description: constant(description),
            source: constant("GENJNL"),
            ..self.clone()
        }
    }

    fn draw(rng: &mut Rng) -> Self {
        Self {
            description: texts(rng, &DESCRIPTIONS),
            user: texts(rng, &USERS),
            source: texts(rng, &SOURCE_CODES),
            source_type: constant("Customer"),
            reason: optional(rng, &REASON_CODES),
            department: texts(rng, &DEPARTMENTS),
            destination: texts(rng, &DESTINATIONS),
            center: texts(rng, &CENTERS),
            ic_partner: optional(rng, &IC_PARTNERS),
            none: optional(rng, &[None]),
            zero: Arc::new(UInt8Array::from(vec![0; BATCH_ROWS])),
            flag: Arc::new(UInt8Array::from_iter_values(
                (0..BATCH_ROWS).map(|_| u8::from(rng.percent(3))),
            )),
        }
    }
}

/// The first `rows` rows of a shared column.
pub(super) fn head(column: &ArrayRef, rows: usize) -> ArrayRef {
    column.slice(0, rows.min(column.len()))
}

/// The same text in every row.
pub(super) fn constant(text: &str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
        text, BATCH_ROWS,
    )))
}

fn texts(rng: &mut Rng, choices: &[&str]) -> ArrayRef {
    let draw = |_| {
        choices
            .get(rng.index(choices.len()))
            .copied()
            .unwrap_or_default()
    };
    Arc::new(StringArray::from_iter_values((0..BATCH_ROWS).map(draw)))
}

fn optional(rng: &mut Rng, choices: &[Option<&str>]) -> ArrayRef {
    let draw = |_| choices.get(rng.index(choices.len())).copied().flatten();
    Arc::new((0..BATCH_ROWS).map(draw).collect::<StringArray>())
}
