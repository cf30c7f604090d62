//! A table of no account: made, loaded and counted as the tables of items are, and dropped. The one place that drops.

use async_trait::async_trait;

use super::{BigQuery, prepare, query};
use crate::domain::contract::Contract;
use crate::kernels::bigquery::full_name;
use crate::ports::{PortError, PortErrorKind, TRIAL_PREFIX, TrialWarehouse};

#[async_trait]
impl TrialWarehouse for BigQuery {
    async fn found_in(&self) -> Result<Option<String>, PortError> {
        prepare::located(&self.client).await
    }

    async fn prepare_trial(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        refuse_other(table)?;
        prepare::dataset(&self.client).await?;
        prepare::made_for_an_hour(&self.client, table, contract).await?;
        let mut prepared = self.prepared.lock().await;
        prepared.insert(table.to_owned(), contract.clone());
        Ok(())
    }

    async fn drop_trial(&self, table: &str) -> Result<(), PortError> {
        refuse_other(table)?;
        let client = &self.client;
        let name = full_name(&client.project, &client.dataset, table);
        let what = format!("dropping table {}.{table}", client.place());
        let sql = format!("DROP TABLE IF EXISTS {name}");
        query::ask(client, &what, &sql, 0).await.map(drop)
    }
}

/// Tables of items are neither tried nor dropped, whoever asks.
fn refuse_other(table: &str) -> Result<(), PortError> {
    if table.starts_with(TRIAL_PREFIX) {
        return Ok(());
    }
    let what = format!("table `{table}` is none of a trial, and is left as it is");
    Err(PortError::new(PortErrorKind::Config, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tables_of_trials_may_go() {
        assert!(refuse_other("soxauto_doctor_20240501t090000z_1a2b3c4d").is_ok());
        for table in [
            "pg01_validated_ipe_ipe_07",
            "soxauto_doctor",
            "",
            "x_soxauto_doctor_",
        ] {
            let error = refuse_other(table).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Config, "{table}");
        }
    }
}
