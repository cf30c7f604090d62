//! Checks and their verdicts. A failed check is a value, never an error.

use serde::{Deserialize, Serialize};

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The property holds.
    Pass,
    /// The property does not hold.
    Fail,
    /// The check could not be made; never a pass.
    NotRun,
    /// There was nothing to check, shown by a count.
    NotApplicable,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Names, types and nullability of the columns.
    Contract,
    /// The wire lost nothing: rows and sums per company.
    Transfer,
    /// Two computations of the content digest agree.
    Digest,
    /// No two rows share the true key.
    Key,
    /// Everything that belongs to the item is in it.
    Population,
    /// What is in it, and what is not, is so at the source.
    Accuracy,
}

/// A check whose finding somebody answers for: its item is loaded all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Identifier of the check.
    pub check: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub approver: String,
}

impl Acceptance {
    /// Refuses what nobody can answer for: that rows were lost or changed on the way, or that a key repeats.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn validate(&self) -> Result<(), String> {
        let check = &self.check;
        let never = ["transfer.", "digest.", "key.", "warehouse."];
        if never.iter().any(|kind| check.starts_with(kind)) {
            return Err(format!(
                "{check} cannot be accepted: it says that rows were lost, changed or doubled; find the cause and run again"
            ));
        }
        let known = ["contract.", "population.", "accuracy."];
        if !known.iter().any(|kind| check.starts_with(kind)) {
            return Err(format!(
                "there is no check `{check}`; `soxauto catalog show ITEM` lists them"
            ));
        }
        if self.reason.trim().is_empty() || self.approver.trim().is_empty() {
            return Err(format!("accepting {check} needs a reason and an approver"));
        }
        Ok(())
    }
}

/// One check with its verdict and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Stable name, such as `transfer.source_decoded`.
    pub id: String,
    /// What it is about.
    pub kind: CheckKind,
    /// What it found.
    pub verdict: Verdict,
    /// One sentence for people.
    pub summary: String,
    /// Every finding, one sentence each; empty for a pass.
    pub findings: Vec<String>,
    /// What was counted, for `NotApplicable` the count that shows it.
    pub counted: Option<u64>,
}

impl CheckResult {
    /// A check that passes when `findings` is empty and fails otherwise.
    #[must_use]
    pub fn of_findings(
        id: &str,
        kind: CheckKind,
        summary: impl Into<String>,
        counted: u64,
        findings: Vec<String>,
    ) -> Self {
        let verdict = if findings.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Fail
        };
        Self {
            id: id.to_owned(),
            kind,
            verdict,
            summary: summary.into(),
            findings,
            counted: Some(counted),
        }
    }

    /// A check that was not made, and why.
    #[must_use]
    pub fn not_run(id: &str, kind: CheckKind, why: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            verdict: Verdict::NotRun,
            summary: why.into(),
            findings: Vec::new(),
            counted: None,
        }
    }

    /// A check that has nothing to look at, with the count that shows it.
    #[must_use]
    pub fn not_applicable(id: &str, kind: CheckKind, why: impl Into<String>, counted: u64) -> Self {
        Self {
            verdict: Verdict::NotApplicable,
            counted: Some(counted),
            ..Self::not_run(id, kind, why)
        }
    }

    /// Whether this verdict lets a load through.
    #[must_use]
    pub fn clears(&self) -> bool {
        match self.verdict {
            Verdict::Pass => true,
            Verdict::NotApplicable => self.counted.is_some(),
            Verdict::Fail | Verdict::NotRun => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Defect 25 of the predecessor: a check that was not made was taken for one that passed.
    #[test]
    fn only_pass_or_a_counted_not_applicable_clears() {
        let mut check = CheckResult::of_findings("a", CheckKind::Transfer, "", 3, vec![]);
        assert!(check.clears());
        check.verdict = Verdict::NotApplicable;
        assert!(check.clears());
        check.counted = None;
        assert!(!check.clears());
        assert!(
            !CheckResult::of_findings("a", CheckKind::Transfer, "", 3, vec!["x".into()]).clears()
        );
        assert!(!CheckResult::not_run("a", CheckKind::Transfer, "no answer").clears());
    }
}
