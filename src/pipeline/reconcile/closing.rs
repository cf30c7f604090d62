//! Whether a judgement may close its month, beside what its lines say: by whose rules it was made, and whether it is of the
//! packages that speak for the month now.

use serde::Deserialize;

use super::inputs::InputUsed;
use super::judgement::Judgement;
use crate::domain::ids::RunId;
use crate::domain::run::{STAND_IN, Stamp};
use crate::pipeline::package::RECORD;
use crate::pipeline::package::read::{broken, run_of, sealed_file, sealed_folders};
use crate::ports::{AccessEvidence, PortError, PortErrorKind, StoreRoot};

/// What the record of a package says of who read where.
#[derive(Deserialize)]
struct Accessed {
    access: Option<AccessEvidence>,
}

/// Refuses to close a month with a judgement by rules or a catalog of one's own, unless all that it was made from is a
/// rehearsal, and with one that was made before an item was run again.
///
/// # Errors
/// `Denied` with the remedy; `Corrupt` for a package that is not what was sealed; storage errors.
pub async fn closable(evidence: &StoreRoot, judgement: &Judgement) -> Result<(), PortError> {
    let (period, run) = (judgement.period(), &judgement.run_id);
    let denied = |why: &str| {
        let what = format!("{period} cannot be closed with run {run}: {why}");
        PortError::new(PortErrorKind::Denied, what)
    };
    let own = judgement.stamps.iter().find(|stamp| stamp.is_own_rules());
    if let Some(own) = own
        && !is_rehearsal(evidence, judgement).await?
    {
        return Err(denied(own.reason()).hint(
            "run its items by the catalog of the program, judge them by its rules (`soxauto reconcile --seal`), \
             and close the month with that run",
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
async fn is_rehearsal(evidence: &StoreRoot, judgement: &Judgement) -> Result<bool, PortError> {
    for input in &judgement.reconciled.inputs {
        let is_stamped = input.not_control_evidence.contains(&Stamp::SandboxSource);
        if !is_stamped && !is_of_stand_in(evidence, judgement, input).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the server that a package was read from called itself the stand-in. A connection string in a file may lead to any
/// server, so that where it came from says nothing of it.
async fn is_of_stand_in(
    evidence: &StoreRoot,
    judgement: &Judgement,
    input: &InputUsed,
) -> Result<bool, PortError> {
    let folders = sealed_folders(evidence, &input.item, judgement.period()).await?;
    let mut folders = folders.iter();
    let Some(folder) = folders.find(|folder| run_of(folder).as_ref() == Some(&input.run_id)) else {
        return Ok(false);
    };
    let (bytes, _) = sealed_file(evidence, folder, RECORD).await?;
    let record: Accessed = serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("the record of the package does not say who read where: {error}");
        broken(evidence, folder, what)
    })?;
    let access = record.access;
    Ok(access.is_some_and(|access| access.server_version.contains(STAND_IN)))
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
            Some(run) if run > judgement.run_id => format!("{item} was run again since ({run})"),
            // It was there, and other packages were judged.
            Some(run) => format!("{item}: its package of run {run} is not in the judgement"),
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
    use crate::domain::digest::sha256_hex;
    use crate::domain::run::ItemStatus;
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

    /// Seals a package that was read from a server of this version.
    async fn seal_of(evidence: &StoreRoot, item: &str, run: &str, version: &str) {
        let access = AccessEvidence {
            server: "fin-sql".to_owned(),
            server_version: version.to_owned(),
            login: "reader".to_owned(),
            isolation_level: "SNAPSHOT".to_owned(),
            databases: Vec::new(),
        };
        let record = serde_json::json!({ "access": access }).to_string();
        let manifest = format!("{}  {RECORD}\n", sha256_hex(record.as_bytes()));
        for (path, text) in [(RECORD, record), (MANIFEST, manifest)] {
            let path = format!("{item}/period=2024-04/run={run}/{path}");
            evidence.create(&path, Bytes::from(text)).await.unwrap();
        }
    }

    async fn seal(evidence: &StoreRoot, item: &str, run: &str) {
        seal_of(evidence, item, run, "Microsoft SQL Server 2019").await;
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

    const OWN: [Stamp; 3] = [
        Stamp::CatalogOverride,
        Stamp::ContractOverride,
        Stamp::RulesOverride,
    ];

    #[tokio::test]
    async fn rules_of_ones_own_close_no_month_but_a_rehearsal() {
        let evidence = both().await;
        let sandbox: &[Stamp] = &[Stamp::SandboxSource];
        let files: &[Stamp] = &[Stamp::FileSecrets];
        let (none, dirty): (&[Stamp], &[Stamp]) = (&[], &[Stamp::DirtyBuild]);
        for own in OWN {
            // Where a connection string came from does not say that it leads to the stand-in.
            let real = [[none, none], [dirty, dirty], [files, files]];
            for inputs in real.into_iter().chain([[sandbox, dirty], [sandbox, files]]) {
                let said = said(&evidence, &[own], inputs).await;
                assert!(said.contains(own.reason()), "{inputs:?}: {said}");
                assert!(said.contains("soxauto reconcile --seal"), "{said}");
            }
            let said = said(&evidence, &[own], [sandbox, sandbox]).await;
            assert_eq!(said, "closable", "all of it is practice");
        }
        let said = said(&evidence, dirty, [dirty, files]).await;
        assert_eq!(said, "closable", "by the rules of the program");
    }

    #[tokio::test]
    async fn a_server_that_calls_itself_the_stand_in_is_a_rehearsal_however_it_was_reached() {
        let files: &[Stamp] = &[Stamp::FileSecrets];
        let stand_in = format!("Microsoft SQL Server 2019 ({STAND_IN}) - 15.0.4312.2 (X64)");
        let evidence = root();
        for item in ["CR_04", "IPE_07"] {
            seal_of(&evidence, item, FIRST, &stand_in).await;
        }
        for own in OWN {
            assert_eq!(said(&evidence, &[own], [files, &[]]).await, "closable");
        }
        // One of two that is not.
        let evidence = root();
        seal_of(&evidence, "CR_04", FIRST, &stand_in).await;
        seal(&evidence, "IPE_07", FIRST).await;
        let said = said(&evidence, &OWN, [files, files]).await;
        assert!(said.contains(OWN[0].reason()), "{said}");
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
        let says = format!("IPE_12: its package of run {FIRST} is not in the judgement");
        assert!(other.contains(&says), "older than the judgement: {other}");
        let gone = "the package of IPE_07 is not there any more";
        assert!(other.contains(gone), "{other}");
    }
}
