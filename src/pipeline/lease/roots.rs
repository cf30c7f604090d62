//! Which root holds the leases of an evidence root: that root itself, or another one, which it then names.
//!
//! Runs that look for leases in different roots do not see each other. So the first run with a root of its own for leases
//! leaves a note in the evidence root, and every run looks for it before and after it takes a lease: of two runs, one
//! that writes the note and looks for the other's lease, and one that takes its lease and looks for the note, at least
//! one sees the other (ADR-0029).

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::held::read;
use super::json;
use crate::domain::ids::RunId;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Folder of the notes below the evidence root; the last one by name counts.
const NOTES: &str = "runs/leases-root";

/// What the first run with this root of leases leaves in the evidence root.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// URI of the root.
    leases: String,
    /// The run that noted it.
    run_id: RunId,
    at: DateTime<Utc>,
}

/// The root that leases lie in, and the evidence root that they belong to.
#[derive(Debug, Clone)]
pub struct Leases {
    pub(super) root: StoreRoot,
    pub(super) evidence: StoreRoot,
}

impl Leases {
    /// Leases below the evidence root.
    #[must_use]
    pub fn within(evidence: &StoreRoot) -> Self {
        Self::new(evidence.clone(), evidence)
    }

    /// Leases in a root of their own.
    #[must_use]
    pub fn new(root: StoreRoot, evidence: &StoreRoot) -> Self {
        Self {
            root,
            evidence: evidence.clone(),
        }
    }

    /// The root that they lie in.
    #[must_use]
    pub fn root(&self) -> &StoreRoot {
        &self.root
    }

    /// URI of their root, if it is not the evidence root.
    #[must_use]
    pub fn apart(&self) -> Option<&str> {
        (self.root.uri != self.evidence.uri).then_some(self.root.uri.as_str())
    }

    /// Where leases are looked for: those of the time before they had a root of their own lie in the evidence root.
    pub(super) fn places(&self) -> impl Iterator<Item = &StoreRoot> {
        [Some(&self.root), self.apart().map(|_| &self.evidence)]
            .into_iter()
            .flatten()
    }

    /// Whether this is the root that the evidence root names, or may become it.
    ///
    /// # Errors
    /// `Config` names the root that the leases lie in; storage errors.
    pub async fn agree(&self) -> Result<(), PortError> {
        match self.named().await? {
            Some(named) if named != self.root.uri => Err(self.elsewhere(&named)),
            _ => Ok(()),
        }
    }

    /// The same, and leaves the note if there is none and one is needed.
    pub(super) async fn claim(&self, run_id: &RunId, at: DateTime<Utc>) -> Result<(), PortError> {
        if let Some(leases) = self.apart()
            && self.named().await?.is_none()
        {
            let note = Note {
                leases: leases.to_owned(),
                run_id: run_id.clone(),
                at,
            };
            let first: Bytes = json(&note)?;
            match self
                .evidence
                .create(&format!("{NOTES}/000001.json"), first)
                .await
            {
                // Another run was faster; what it noted is compared below.
                Err(error) if error.kind == PortErrorKind::Corrupt => {}
                written => written?,
            }
        }
        self.agree().await
    }

    async fn named(&self) -> Result<Option<String>, PortError> {
        let notes = self.evidence.list(NOTES).await?;
        match notes.last() {
            None => Ok(None),
            Some(last) => Ok(Some(read::<Note>(&self.evidence, &last.path).await?.leases)),
        }
    }

    fn elsewhere(&self, named: &str) -> PortError {
        let what = format!("the leases of this evidence root lie in {named}");
        PortError::new(PortErrorKind::Config, what)
            .at("leases", self.root.uri.clone())
            .at("evidence", self.evidence.uri.clone())
            .hint(format!(
                "name it with --leases: runs that look in different roots do not see each other. Leases that were moved \
                 while no run was at work need another note in {} (ADR 29)",
                self.evidence.uri_of(NOTES)
            ))
    }
}
