//! The catalog against a server: what a query would deliver, before a row of it is read.

use std::path::PathBuf;

use serde::Serialize;

use crate::catalog::CatalogError;
use crate::catalog::draft::{Draft, DraftColumn, DraftHead, databases_of, lint_query};
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::query::{BoundQuery, QueryFile};
use crate::kernels::conform::{arrow_type, contract_findings};
use crate::kernels::loss::loss;
use crate::ports::{AccessEvidence, Clock, Described, Estimate, PortError, Source};
use crate::settings::{GoogleSettings, SourceSettings};

use super::google::Google;
use super::sources::Reach;
use super::{StartError, SystemClock, sound_items};

/// Which server to ask, and for which month.
#[derive(Debug, Clone)]
pub struct AskSettings {
    /// Month whose dates are bound; `None` is the last one that has ended in Europe/Paris.
    pub period: Option<Period>,
    /// What is read from.
    pub source: SourceSettings,
    /// How Google Cloud is reached, if anything of it is used.
    pub google: GoogleSettings,
    /// Limits.
    pub limits: Limits,
}

/// One column of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedColumn {
    /// Name in the result set.
    pub source: String,
    /// Canonical name; `None` when the contract does not know the column.
    pub name: Option<String>,
    /// Type as the server says it.
    pub sql_type: String,
    /// Arrow type that carries it; `None` where it is refused.
    pub arrow_type: Option<String>,
    /// What carrying it changes, or why it is refused.
    pub loss: Option<String>,
}

/// What a run of an item would meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Item.
    pub item: String,
    /// Month whose dates were bound.
    pub period: Period,
    /// Server as it names itself.
    pub server: String,
    /// Login.
    pub login: String,
    /// Isolation level that the rows would be read in.
    pub isolation_level: String,
    /// Columns in the order of the result.
    pub columns: Vec<PlannedColumn>,
    /// Differences between contract and description; a run would hold its load.
    pub findings: Vec<String>,
    /// What the server's plan expects.
    pub estimate: Option<Estimate>,
    /// Why there is no estimate.
    pub no_estimate: Option<String>,
}

/// Describes an item against its server and asks for the plan of its query; reads no row of it.
///
/// # Errors
/// [`StartError`]: no such item, findings of the lint, no connection, a query that the server refuses.
pub async fn plan(
    catalog: Option<PathBuf>,
    item: String,
    settings: AskSettings,
) -> Result<Plan, StartError> {
    let period = period(&settings)?;
    let mut items = sound_items(catalog.as_deref(), std::slice::from_ref(&item))?;
    let ipe = items.pop().ok_or_else(|| CatalogError {
        place: "catalog".to_owned(),
        what: format!("there is no item `{item}`"),
    })?;
    if ipe.file.is_some() {
        let what =
            format!("`{item}` is read from a file: there is no server whose plan could be asked");
        let place = "catalog".to_owned();
        return Err(CatalogError { place, what }.into());
    }
    let query = ipe.query.bind(period)?;
    let reach = reach(&settings).await?;
    let source = reach.sources().source(&ipe.secret).await?;
    let (described, access) = describe(source.as_ref(), &ipe.databases, &query).await?;
    let estimate = source.estimate(&query).await;
    reach.stop().await;
    let columns = described.columns.iter().map(|column| PlannedColumn {
        source: column.name.clone(),
        name: ipe
            .contract
            .columns
            .iter()
            .find(|known| known.source == column.name)
            .map(|known| known.name.clone()),
        sql_type: column.sql_type.clone(),
        arrow_type: column
            .column_type
            .map(|carrier| arrow_type(carrier).to_string()),
        loss: loss(column),
    });
    let (estimate, no_estimate) = match estimate {
        Ok(estimate) => (Some(estimate), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(Plan {
        item,
        period,
        server: access.server,
        login: access.login,
        isolation_level: access.isolation_level,
        columns: columns.collect(),
        findings: contract_findings(&ipe.contract, &described),
        estimate,
        no_estimate,
    })
}

/// A new item over a query: the server describes the columns, the lint judges the result.
///
/// # Errors
/// [`StartError`]: findings of the lint, columns that cannot be carried, no connection.
pub async fn draft(
    head: DraftHead,
    place: &str,
    query: String,
    settings: AskSettings,
) -> Result<Draft, StartError> {
    let findings = lint_query(place, &query);
    if !findings.is_empty() {
        return Err(StartError::Lint(findings));
    }
    let bound = QueryFile::parse(&query)?.bind(period(&settings)?)?;
    let reach = reach(&settings).await?;
    let source = reach.sources().source(&head.secret).await?;
    let (described, _) = describe(source.as_ref(), &databases_of(&query), &bound).await?;
    reach.stop().await;
    let refused = described
        .columns
        .iter()
        .filter(|column| column.column_type.is_none());
    let refused: Vec<String> = refused.filter_map(loss).collect();
    if !refused.is_empty() {
        return Err(StartError::Uncarried(refused));
    }
    let columns = described.columns.into_iter().map(|column| DraftColumn {
        description: format!("[{}] of the source", column.name),
        source: column.name,
        sql_type: column.sql_type,
        nullable: column.nullable,
    });
    let draft = Draft::of_query(head, columns.collect(), query);
    let findings = draft.lint();
    if !findings.is_empty() {
        return Err(StartError::Lint(findings));
    }
    Ok(draft)
}

fn period(settings: &AskSettings) -> Result<Period, StartError> {
    let now = SystemClock.now();
    Ok(settings
        .period
        .map_or_else(|| Period::last_closed(now), Ok)?)
}

/// One connection at a time: the view is closed before the plan is asked for.
async fn reach(settings: &AskSettings) -> Result<Reach, PortError> {
    let (source, limits) = (&settings.source, &settings.limits);
    let google = Google::new(&settings.google, &source.secrets, limits).await?;
    Reach::open(source, &google, limits, 1).await
}

/// Describes a query in a view of its own.
pub(super) async fn describe(
    source: &dyn Source,
    databases: &[String],
    query: &BoundQuery,
) -> Result<(Described, AccessEvidence), PortError> {
    let mut view = source.open(databases).await?;
    let described = view.describe(query).await?;
    let access = view.access().clone();
    view.close().await?;
    Ok((described, access))
}
