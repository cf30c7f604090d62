//! The answer to "what would this query cost".

use serde::{Deserialize, Serialize};

/// What a server's plan expects of a query; for people, never part of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Rows, as the server writes the number.
    pub rows: String,
    /// Cost in the server's own unit, where it says one.
    pub cost: Option<String>,
}
