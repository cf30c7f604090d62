//! Whether a judgement may close its month, beside what its lines say: by whose rules it was made, and whether it is of the
//! packages that speak for the month now.

use super::inputs::InputUsed;
use super::judgement::Judgement;
use crate::domain::ids::RunId;
use crate::pipeline::package::read::{run_of, sealed_folders};
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Refuses to close a month with a judgement by rules of one's own, unless all that it was made from is a rehearsal, and with
/// one that was made before an item was run again.
///
/// # Errors
/// `Denied` with the remedy; storage errors.
pub async fn closable(evidence: &StoreRoot, judgement: &Judgement) -> Result<(), PortError> {
    let (period, run) = (judgement.period(), &judgement.run_id);
    let denied = |why: &str| {
        let what = format!("{period} cannot be closed with run {run}: {why}");
        PortError::new(PortErrorKind::Denied, what)
    };
    let own = judgement.stamps.iter().find(|stamp| stamp.is_own_rules());
    if let Some(own) = own.filter(|_| !is_rehearsal(&judgement.reconciled.inputs)) {
        return Err(denied(own.reason()).hint(
            "judge it by the rules of the program (`soxauto reconcile --seal`), and close the month with that run",
        ));
    }
    let newer = newer(evidence, judgement).await?;
    if !newer.is_empty() {
        return Err(denied(&newer.join("; ")).hint(
            "judge it again with `soxauto reconcile --seal`, and close the month with that run",
        ));
    }
    Ok(())
}

/// Whether nothing was read from a source of the control, so that there is nothing that closing could make final.
fn is_rehearsal(inputs: &[InputUsed]) -> bool {
    inputs.iter().all(|input| {
        let mut stamps = input.not_control_evidence.iter();
        stamps.any(|stamp| stamp.is_rehearsal())
    })
}

/// The items whose newest package is not the one that was judged.
async fn newer(evidence: &StoreRoot, judgement: &Judgement) -> Result<Vec<String>, PortError> {
    let reconciled = &judgement.reconciled;
    let mut found = Vec::new();
    for item in reconciled.items.iter().map(|input| &input.item) {
        let folders = sealed_folders(evidence, item, judgement.period()).await?;
        let newest: Option<RunId> = folders.first().and_then(|folder| run_of(folder));
        let mut inputs = reconciled.inputs.iter();
        let judged = inputs.find(|input| input.item == *item);
        if newest.as_ref() == judged.map(|input| &input.run_id) {
            continue;
        }
        found.push(match newest {
            Some(run) => format!("{item} was run again since ({run})"),
            None => format!("the package of {item} is not there any more"),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use object_store::memory::InMemory;

    use super::*;
    use crate::domain::run::{ItemStatus, Stamp};
    use crate::pipeline::package::MANIFEST;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    const FIRST: &str = "20240501T090000Z-00000001";
    const SECOND: &str = "20240506T090000Z-00000002";

    fn root() -> StoreRoot {
        StoreRoot {
            store: Arc::new(InMemory::new()),
            uri: "memory://evidence".to_owned(),
        }
    }

    async fn seal(evidence: &StoreRoot, item: &str, run: &str) {
        let path = format!("{item}/period=2024-04/run={run}/{MANIFEST}");
        let sealed = Bytes::from_static(b"sealed");
        evidence.create(&path, sealed).await.unwrap();
    }

    fn input(item: &str, stamps: &[Stamp]) -> InputUsed {
        InputUsed {
            item: item.parse().unwrap(),
            run_id: FIRST.parse().unwrap(),
            status: ItemStatus::Success,
            definition_sha256: String::new(),
            rows: 1,
            digest: None,
            uri: String::new(),
            manifest_sha256: String::new(),
            not_control_evidence: stamps.to_vec(),
        }
    }

    /// A judgement of two items and what closing with it says.
    async fn said(evidence: &StoreRoot, own: &[Stamp], [one, other]: [&[Stamp]; 2]) -> String {
        let mut judgement = judged(month::clean());
        judgement.stamps = own.to_vec();
        judgement.reconciled.inputs = vec![input("CR_04", one), input("IPE_07", other)];
        match closable(evidence, &judgement).await {
            Ok(()) => "closable".to_owned(),
            Err(error) => {
                assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
                error.to_string()
            }
        }
    }

    async fn both() -> StoreRoot {
        let evidence = root();
        for item in ["CR_04", "IPE_07"] {
            seal(&evidence, item, FIRST).await;
        }
        evidence
    }

    #[tokio::test]
    async fn rules_of_ones_own_close_no_month_but_a_rehearsal() {
        let evidence = both().await;
        let sandbox: &[Stamp] = &[Stamp::SandboxSource];
        let files: &[Stamp] = &[Stamp::FileSecrets, Stamp::DirtyBuild];
        let (none, dirty): (&[Stamp], &[Stamp]) = (&[], &[Stamp::DirtyBuild]);
        for own in [Stamp::ContractOverride, Stamp::RulesOverride] {
            for inputs in [[none, none], [dirty, dirty], [sandbox, dirty]] {
                let said = said(&evidence, &[own], inputs).await;
                assert!(said.contains(own.reason()), "{inputs:?}: {said}");
                assert!(said.contains("soxauto reconcile --seal"), "{said}");
            }
            let said = said(&evidence, &[own], [sandbox, files]).await;
            assert_eq!(said, "closable", "all of it is practice");
        }
        let said = said(&evidence, dirty, [dirty, dirty]).await;
        assert_eq!(said, "closable", "by the rules of the program");
    }

    #[tokio::test]
    async fn a_judgement_of_packages_that_speak_no_more_closes_no_month() {
        let evidence = both().await;
        assert_eq!(said(&evidence, &[], [&[], &[]]).await, "closable");
        // Of an item that the contract does not need nothing is asked, nor of another month.
        seal(&evidence, "IPE_99", SECOND).await;
        assert_eq!(said(&evidence, &[], [&[], &[]]).await, "closable");
        seal(&evidence, "IPE_07", SECOND).await;
        let again = said(&evidence, &[], [&[], &[]]).await;
        let says = format!("IPE_07 was run again since ({SECOND})");
        assert!(again.contains(&says) && !again.contains("CR_04"), "{again}");
        assert!(again.contains("judge it again with"), "{again}");
        // One that was not there when the month was judged, and one that is there no more.
        let evidence = root();
        seal(&evidence, "CR_04", FIRST).await;
        seal(&evidence, "IPE_12", FIRST).await;
        let other = said(&evidence, &[], [&[], &[]]).await;
        assert!(other.contains("IPE_12 was run again since"), "{other}");
        let gone = "the package of IPE_07 is not there any more";
        assert!(other.contains(gone), "{other}");
    }
}
