//! B3, posting groups: customers that stand in more than one. Information; it has no amount.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{IntoLazy as _, col, len};
use serde::{Deserialize, Serialize};

use crate::kernels::frame::{guarded, texts};
use crate::kernels::reconcile::cells::{COMPANY, code};
use crate::kernels::reconcile::{ReconcileError, StagedTable};

/// A customer of several posting groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingGroups {
    /// Company code.
    pub company: String,
    /// Customer number.
    pub customer: String,
    /// The groups, in order.
    pub groups: BTreeSet<String>,
}

impl PostingGroups {
    /// The groups in one text.
    #[must_use]
    pub fn joined(&self) -> String {
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        groups.join(", ")
    }
}

/// Customers of several posting groups, by company and number.
///
/// # Shape
/// `entries`: rows of IPE_07 with id_company, customer_no, customer_posting_group. A row without a customer or without a
/// group says nothing here.
/// # Errors
/// [`ReconcileError::Column`] for a missing column.
pub fn posting_groups(entries: &StagedTable) -> Result<Vec<PostingGroups>, ReconcileError> {
    let frame = &entries.frame;
    let columns = [COMPANY, "customer_no", "customer_posting_group"];
    let keys = columns.map(|column| Ok(code(frame, column)?.alias(column)));
    let keys: Vec<_> = keys.into_iter().collect::<Result<_, ReconcileError>>()?;
    let doing = || "looking at posting groups".to_owned();
    let found = guarded(doing, || {
        let rows = frame.clone().lazy().select(keys);
        rows.group_by(columns.map(col))
            .agg([len().alias("rows")])
            .collect()
    })?;
    let [companies, customers, groups] = columns.map(|column| texts(&found, column));
    let keys = companies?.into_iter().zip(customers?);
    let mut all: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (key, group) in keys.zip(groups?) {
        if !key.1.is_empty() && !group.is_empty() {
            all.entry(key).or_default().insert(group);
        }
    }
    let several = all.into_iter().filter(|(_, groups)| groups.len() > 1);
    let several = several.map(|((company, customer), groups)| PostingGroups {
        company,
        customer,
        groups,
    });
    Ok(several.collect())
}
