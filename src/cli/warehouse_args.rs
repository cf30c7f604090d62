//! Arguments that name the warehouse: by one place, or by project and dataset as the deployment guide does; the doc
//! comments are the help text.

use anyhow::{anyhow, bail};
use clap::Args;

use crate::settings::WarehouseChoice;

/// Where months are loaded if nobody says.
const FOLDER: &str = "out/warehouse";

/// Location of a dataset that is named without one: that of the deployment guide.
const LOCATION: &str = "EU";

/// Where months are loaded.
#[derive(Debug, Args)]
pub(super) struct WarehouseArgs {
    /// Where months are loaded: a folder, file:///folder or bigquery://PROJECT/DATASET?location=EU [default: out/warehouse, or
    /// the dataset of --bigquery-dataset]
    #[arg(long, env = "SOXAUTO_WAREHOUSE", value_name = "URL")]
    warehouse: Option<WarehouseChoice>,
    /// Dataset that months are loaded into, in the location EU; --warehouse names one of another location
    #[arg(long, env = "BIGQUERY_DATASET", value_name = "DATASET")]
    bigquery_dataset: Option<String>,
    /// Project of --bigquery-dataset
    #[arg(long, env = "GCP_PROJECT_ID", value_name = "PROJECT")]
    bigquery_project: Option<String>,
}

impl TryFrom<WarehouseArgs> for WarehouseChoice {
    type Error = anyhow::Error;

    /// A project alone names nothing: it has other uses. Whoever names two warehouses is not guessed at.
    fn try_from(args: WarehouseArgs) -> anyhow::Result<Self> {
        let WarehouseArgs {
            warehouse,
            bigquery_dataset,
            bigquery_project,
        } = args;
        let Some(dataset) = bigquery_dataset else {
            return Ok(warehouse.unwrap_or_else(|| Self::Local(FOLDER.to_owned())));
        };
        match (warehouse, bigquery_project) {
            (None, Some(project)) => format!("bigquery://{project}/{dataset}?location={LOCATION}")
                .parse()
                .map_err(|what| anyhow!("GCP_PROJECT_ID and BIGQUERY_DATASET: {what}")),
            (None, None) => bail!(
                "BIGQUERY_DATASET names dataset {dataset}, and nothing names its project\nhint: set GCP_PROJECT_ID too, or \
                 write --warehouse bigquery://PROJECT/{dataset}?location={LOCATION}"
            ),
            (Some(Self::BigQuery(place)), project)
                if place.dataset == dataset
                    && project
                        .as_ref()
                        .is_none_or(|project| *project == place.project) =>
            {
                Ok(Self::BigQuery(place))
            }
            (Some(warehouse), project) => {
                let one = match warehouse {
                    Self::Local(folder) => folder,
                    Self::BigQuery(place) => format!("{}.{}", place.project, place.dataset),
                };
                let project = project.map_or_else(String::new, |project| format!("{project}."));
                bail!(
                    "two warehouses are named: --warehouse (SOXAUTO_WAREHOUSE) says {one}, BIGQUERY_DATASET says \
                     {project}{dataset}\nhint: leave one of them out"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(
        warehouse: Option<&str>,
        dataset: Option<&str>,
        project: Option<&str>,
    ) -> Result<WarehouseChoice, String> {
        let args = WarehouseArgs {
            warehouse: warehouse.map(|text| text.parse().unwrap()),
            bigquery_dataset: dataset.map(str::to_owned),
            bigquery_project: project.map(str::to_owned),
        };
        WarehouseChoice::try_from(args).map_err(|error| error.to_string())
    }

    const URL: &str = "bigquery://p-1/sox?location=US";

    #[test]
    fn project_and_dataset_are_a_warehouse_and_neither_alone_is() {
        let eu = "bigquery://p-1/sox?location=EU".parse();
        assert_eq!(choice(None, Some("sox"), Some("p-1")), eu);
        let folder = "out/warehouse".parse();
        assert_eq!(choice(None, None, None), folder);
        assert_eq!(choice(None, None, Some("p-1")), folder);
        let said = choice(None, Some("sox"), None).unwrap_err();
        assert!(said.contains("GCP_PROJECT_ID"), "{said}");
        let said = choice(None, Some("a.b"), Some("p-1")).unwrap_err();
        assert!(said.contains("BIGQUERY_DATASET"), "{said}");
    }

    #[test]
    fn a_warehouse_that_is_named_stands_and_another_beside_it_is_refused() {
        assert_eq!(choice(Some(URL), None, Some("other")), URL.parse());
        assert_eq!(choice(Some("x"), None, Some("p-1")), "x".parse());
        for project in [None, Some("p-1")] {
            assert_eq!(choice(Some(URL), Some("sox"), project), URL.parse());
        }
        for (warehouse, dataset, project) in [
            (URL, "other", Some("p-1")),
            (URL, "sox", Some("p-2")),
            ("out/warehouse", "sox", Some("p-1")),
            ("out/warehouse", "sox", None),
        ] {
            let said = choice(Some(warehouse), Some(dataset), project).unwrap_err();
            assert!(said.starts_with("two warehouses"), "{said}");
            assert!(said.contains(dataset), "{said}");
        }
    }
}
