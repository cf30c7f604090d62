//! Replacing a month by its files with one load job: all or nothing, and once.

use std::collections::BTreeMap;

use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_load::JobConfigurationLoad;
use gcp_bigquery_client::model::job_statistics3::JobStatistics3;
use gcp_bigquery_client::model::table_reference::TableReference;

use super::client::{Client, Inserted, about, labels};
use super::prepare::still_same;
use super::watch::ended;
use super::{line, words};
use crate::domain::contract::Contract;
use crate::domain::manifest::{LoadReceipt, Submitted};
use crate::kernels::bigquery::job::{self, attempt, load_name};
use crate::ports::{LoadJob, PortError, PortErrorKind, Tell};

/// How the month's rows are treated.
const REPLACE: &str = "WRITE_TRUNCATE";

/// Loads the files at `uris`, which are those of the job in its order. A job that ended well is a receipt, whatever it
/// says of itself: from then on the month shows it.
pub(super) async fn load(
    client: &Client,
    contract: &Contract,
    job: &LoadJob,
    uris: Vec<String>,
    tell: Tell<'_>,
) -> Result<LoadReceipt, PortError> {
    refuse_inexact(client, job, &uris)?;
    still_same(client, &job.table, contract).await?;
    let name = load_name(&client.place(), contract, job);
    if let Some(fence) = &job.fence {
        line::take(client, job, fence, &name).await?;
    }
    let (id, said) = run(client, job, &uris, &name, tell).await?;
    Ok(LoadReceipt {
        job_id: id,
        destination_table: destination(client, job),
        write_disposition: REPLACE.to_owned(),
        source_uris: uris,
        output_rows: count(said.output_rows.as_deref()),
        output_bytes: count(said.output_bytes.as_deref()),
        differing: unlike(job, &said),
    })
}

fn destination(client: &Client, job: &LoadJob) -> String {
    format!("{}.{}", client.place(), partition(job))
}

/// The partition of a month behind its table.
fn partition(job: &LoadJob) -> String {
    format!("{}${}", job.table, job.period.start().format("%Y%m"))
}

/// A `*` in a URI would load whatever fits it.
fn refuse_inexact(client: &Client, job: &LoadJob, uris: &[String]) -> Result<(), PortError> {
    let files_max = client.limits.load_files_max;
    if uris.len() > files_max {
        let what = format!(
            "{} files are more than BigQuery loads at once ({files_max})",
            uris.len()
        );
        return Err(about(client, &job.table, PortErrorKind::Limit, what)
            .hint("larger parts make fewer files"));
    }
    match uris
        .iter()
        .find(|uri| !uri.starts_with("gs://") || uri.contains('*'))
    {
        None => Ok(()),
        Some(uri) => {
            let what = "BigQuery loads exact files of Cloud Storage, and nothing else";
            Err(PortError::new(PortErrorKind::Config, what)
                .at("part", uri.clone())
                .hint("use --staging gs://BUCKET/PREFIX, in the location of the dataset"))
        }
    }
}

/// Makes attempts until one has ended well; each has an id that says what it loads, and is told of before it is there.
/// A job that ended with an error has replaced nothing.
async fn run(
    client: &Client,
    job: &LoadJob,
    uris: &[String],
    name: &str,
    tell: Tell<'_>,
) -> Result<(String, JobStatistics3), PortError> {
    let what = format!("loading {}", partition(job));
    let mut last = None;
    for generation in 1..=client.limits.load_attempts_max {
        let id = attempt(name, generation);
        let load = Submitted {
            job_id: id.clone(),
            destination_table: destination(client, job),
            look: client.look(&id),
        };
        tell.begins(load).await?;
        let inserted = client
            .insert(&what, &id, configuration(client, job, uris))
            .await?;
        let done = ended(client, &id).await?;
        let closed = line::refuse_closed(client, job, &done);
        if closed.is_ok() && done.error().is_none() {
            return Ok((id, done.statistics.load.unwrap_or_default()));
        }
        tell.replaced_nothing().await;
        closed?;
        let Some(error) = done.error() else { continue };
        let failed = words::of_job(&what, error).at("job", id);
        // One that was there before may have failed for what is mended by now; one that was cancelled was to end.
        let again = inserted == Inserted::Exists || words::is_transient(error);
        if words::is_cancelled(error) || !again {
            return Err(failed);
        }
        last = Some(failed);
        tokio::time::sleep(client.limits.poll_first).await;
    }
    let attempts = client.limits.load_attempts_max;
    Err(last.map_or_else(
        || {
            about(
                client,
                &job.table,
                PortErrorKind::Limit,
                "no attempt to load is allowed",
            )
        },
        |last| last.at("attempts", attempts.to_string()),
    ))
}

/// The job. It brings no schema, so that the table's own holds, and makes no table.
fn configuration(client: &Client, job: &LoadJob, uris: &[String]) -> JobConfiguration {
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let pairs: BTreeMap<String, String> = job::labels(job);
    JobConfiguration {
        labels: labels(pairs),
        load: Some(JobConfigurationLoad {
            source_uris: Some(uris.to_vec()),
            source_format: Some("PARQUET".to_owned()),
            destination_table: Some(TableReference::new(
                &client.project,
                &client.dataset,
                &partition(job),
            )),
            create_disposition: Some("CREATE_NEVER".to_owned()),
            write_disposition: Some(REPLACE.to_owned()),
            // Without it every exact number would have to fit NUMERIC.
            decimal_target_types: texts(&["NUMERIC", "BIGNUMERIC"]),
            max_bad_records: Some(0),
            ..JobConfigurationLoad::default()
        }),
        ..JobConfiguration::default()
    }
}

/// A count that is not said is none: the interface leaves zeros out.
fn count(said: Option<&str>) -> u64 {
    said.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Every way in which the job read something else than was staged, for the check after the load, which has its rows too.
fn unlike(job: &LoadJob, said: &JobStatistics3) -> Vec<String> {
    let files = u64::try_from(job.parts.len()).unwrap_or(u64::MAX);
    let bytes: u64 = job.parts.iter().map(|part| part.bytes).sum();
    [
        ("files", files, &said.input_files),
        ("bytes of files", bytes, &said.input_file_bytes),
        ("bad records", 0, &said.bad_records),
    ]
    .into_iter()
    .filter(|(_, wanted, said)| count(said.as_deref()) != *wanted)
    .map(|(what, wanted, said)| format!("{} {what} instead of {wanted}", count(said.as_deref())))
    .collect()
}
