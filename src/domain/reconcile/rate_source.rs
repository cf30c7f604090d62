//! Where closing rates come from, and what they are compared with.

use serde::{Deserialize, Serialize};

use crate::domain::ids::IpeId;

/// Closing rates, local currency per US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSource {
    /// The item.
    pub item: IpeId,
    /// Column with the company code.
    pub company: String,
    /// Column with the rate.
    pub rate: String,
    /// Another source of the same rates, which must say the same.
    pub compared_with: Option<ComparedRates>,
}

/// Rates beside amounts, by currency; those of a company's own currency are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedRates {
    /// The item.
    pub item: IpeId,
    /// Column with the company code.
    pub company: String,
    /// Column with the currency.
    pub currency: String,
    /// Column with the rate.
    pub rate: String,
}
