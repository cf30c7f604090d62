//! What is to be reported and holds nothing: an item is loaded with its findings, a failed check keeps it out.

use serde::{Deserialize, Serialize};

/// Something that the reviewer must see and that the run does not judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name, such as `scope.new_value`.
    pub id: String,
    /// Company that it is about.
    pub company: String,
    /// One sentence for people.
    pub what: String,
}
