//! The catalog, and what this machine gives to a run.

use super::examination::{Examination, Good};
use crate::adapters::machine::Machine;
use crate::catalog::{CatalogError, Definitions};
use crate::domain::ipe::Ipe;
use crate::domain::limits::DoctorLimits;
use crate::ports::{PortError, PortErrorKind};
use crate::settings::RunSettings;

/// The items, whatever the lint says of them.
pub(super) fn items(run: &RunSettings) -> Result<Vec<Ipe>, CatalogError> {
    let catalog = Definitions::open(run.catalog.as_deref())?.catalog()?;
    Ok(catalog.items().cloned().collect())
}

/// Lints the definitions.
pub(super) async fn catalog(at: &mut Examination<'_>, run: &RunSettings) {
    let failed = |error: CatalogError| PortError::new(PortErrorKind::Config, error.to_string());
    let linted = async {
        let definitions = Definitions::open(run.catalog.as_deref()).map_err(failed)?;
        let findings = definitions.lint(&[]).map_err(failed)?;
        let Some(first) = findings.first() else {
            let said = format!("{} without a finding", definitions.names().join(", "));
            return Ok(Good::new(said, ()));
        };
        let what = format!("{} findings, the first: {first}", findings.len());
        Err(PortError::new(PortErrorKind::Config, what)
            .hint("mend the definitions: `soxauto catalog lint` lists every mistake"))
    };
    at.look("catalog", linted).await;
}

/// Compares memory and processors with what a run is measured in.
pub(super) async fn resources(at: &mut Examination<'_>) {
    let (machine, limits) = (Machine::here(), at.limits.clone());
    at.look("memory", async { memory(machine, &limits) }).await;
    at.look("processors", async { processors(machine, &limits) })
        .await;
}

fn memory(machine: Machine, limits: &DoctorLimits) -> Result<Good<()>, PortError> {
    let Some(bytes) = machine.memory_bytes else {
        return Err(unknown("how much memory there is"));
    };
    let mebibytes = bytes >> 20;
    if bytes >= limits.memory_bytes_min {
        return Ok(Good::new(format!("{mebibytes} MiB"), ()));
    }
    let what = format!("{mebibytes} MiB, and a run is measured in 2048");
    Err(PortError::new(PortErrorKind::Limit, what).hint("give it more: --memory=2Gi on Cloud Run"))
}

fn processors(machine: Machine, limits: &DoctorLimits) -> Result<Good<()>, PortError> {
    let Some(share) = machine.millicpus else {
        let all = std::thread::available_parallelism();
        let all = all.map_err(|_| unknown("how many processors there are"))?;
        return Ok(Good::new(format!("{all}, no limit"), ()));
    };
    let said = format!("{}.{:03} by the limit", share / 1_000, share % 1_000);
    if share >= limits.millicpus_min {
        return Ok(Good::new(said, ()));
    }
    Err(PortError::new(PortErrorKind::Limit, said)
        .hint("give it more: --cpu=2 on Cloud Run; the time limits of a run expect at least one"))
}

fn unknown(what: &str) -> PortError {
    PortError::new(
        PortErrorKind::Timeout,
        format!("this machine does not say {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_said_with_what_to_give() {
        let limits = DoctorLimits::default();
        let machine = |memory_bytes, millicpus| Machine {
            memory_bytes,
            millicpus,
        };
        let good = machine(Some(2 << 30), Some(2_000));
        assert!(memory(good, &limits).is_ok() && processors(good, &limits).is_ok());
        assert!(processors(machine(None, None), &limits).is_ok());
        let poor = machine(Some(512 << 20), Some(80));
        let error = memory(poor, &limits).err().unwrap();
        assert!(error.to_string().contains("512 MiB") && error.hint.is_some());
        let error = processors(poor, &limits).err().unwrap();
        assert!(error.to_string().starts_with("0.080"), "{error}");
        assert!(memory(machine(None, None), &limits).is_err());
    }
}
