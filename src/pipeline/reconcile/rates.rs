//! Closing rates against what else says them: another source beside its amounts, and last month.

use std::collections::BTreeMap;

use super::history::Past;
use super::inputs::Packaged;
use super::sums::rates_beside;
use super::{Explanations, Sources};
use crate::domain::ids::IpeId;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::fx::Rates;
use crate::domain::reconcile::result::Reconciliation;
use crate::ports::{PortError, PortErrorKind};

/// Reports rates that another source does not say, and warns of those that are far from last month's.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged; storage errors. More rows than the limits hold are noted in `all`.
pub(super) async fn compare(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    sound: &BTreeMap<&IpeId, &Packaged>,
    past: &Past,
    result: &mut Reconciliation,
    all: &mut Explanations,
) -> Result<(), PortError> {
    let rates = Rates::known(&result.rates);
    if let Some(beside) = &contract.rates.compared_with
        && let Some(package) = sound.get(&beside.item)
    {
        match rates_beside(sources, package, contract, beside).await {
            Ok(others) => {
                let companies = contract.companies.keys();
                let lacking = companies.filter(|company| !others.contains_key(*company));
                let lacking: Vec<&str> = lacking.map(String::as_str).collect();
                if !lacking.is_empty() {
                    let what = format!("rates against those of {}", beside.item);
                    let why = format!("it has none of {}", lacking.join(", "));
                    all.not_computed.insert(what, why);
                }
                result.report(rates.differing(beside.item.as_str(), &others));
            }
            Err(error) if error.kind == PortErrorKind::Limit => {
                let what = format!("rates against those of {}", beside.item);
                all.not_computed.insert(what, error.message);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(last) = &past.last {
        let last = Rates::known(&last.reconciled.result.rates);
        result.report(rates.moved(&last));
    }
    Ok(())
}
