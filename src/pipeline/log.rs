//! The log of one item: what was done when, with counts and names; closed before the package is hashed.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tracing::info;

use crate::domain::ids::{IpeId, RunId};
use crate::ports::Clock;

/// Collects the lines of one item and passes each on to the program's log.
pub struct ItemLog {
    clock: Arc<dyn Clock>,
    ipe: IpeId,
    run_id: RunId,
    lines: Vec<u8>,
}

impl ItemLog {
    /// An empty log.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ipe: IpeId, run_id: RunId) -> Self {
        Self {
            clock,
            ipe,
            run_id,
            lines: Vec::new(),
        }
    }

    /// Adds a line. `fields` is an object of counts and names, never of row contents or secrets.
    pub fn note(&mut self, message: &str, fields: Value) {
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), json!(self.clock.now().to_rfc3339()));
        line.insert("message".to_owned(), json!(message));
        if let Value::Object(fields) = &fields {
            line.extend(fields.clone());
        }
        info!(ipe = %self.ipe, run_id = %self.run_id, fields = %fields, "{message}");
        self.lines
            .extend_from_slice(Value::Object(line).to_string().as_bytes());
        self.lines.push(b'\n');
    }

    /// The lines as JSON, one object a line.
    #[must_use]
    pub fn close(self) -> Vec<u8> {
        self.lines
    }
}
