//! The section `[population]` of `ipe.toml` as people write it, and with `population.sql` into a definition.

use serde::Deserialize;
use toml::Spanned;

use crate::domain::freshness::{Bound, FreshnessRule};
use crate::domain::population::PopulationDefinition;
use crate::domain::query::QueryFile;
use crate::domain::scope::ScopeRule;

use super::{CatalogError, ItemFiles};

/// How the population is counted; `population.sql` goes with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PopulationToml {
    table: String,
    company: String,
    until: String,
    sequence: Option<String>,
    companies: Vec<String>,
    pub(super) freshness: Option<FreshnessToml>,
    #[serde(default)]
    pub(super) scope: Vec<ScopeToml>,
}

/// The date of the base table, and the days that it is compared with by the name of the parameter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreshnessToml {
    pub(super) column: Spanned<String>,
    pub(super) every_from: Option<Spanned<String>>,
    pub(super) newest_from: Option<Spanned<String>>,
}

/// A column of `population.sql` and its known values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeToml {
    pub(super) column: Spanned<String>,
    pub(super) known: Spanned<Vec<Spanned<String>>>,
}

/// The section of `ipe.toml` and its file: both or neither.
pub(super) fn definition(
    toml: Option<PopulationToml>,
    files: &ItemFiles,
) -> Result<Option<PopulationDefinition>, CatalogError> {
    let (toml, text) = match (toml, &files.population) {
        (None, None) => return Ok(None),
        (Some(toml), Some(text)) => (toml, text),
        (Some(_), None) => {
            let what = "the file is missing, and ipe.toml has a section [population]";
            return Err(CatalogError::new(files.population_place(), what));
        }
        (None, Some(_)) => {
            let what = "population.sql is there, and the section [population] is missing";
            return Err(CatalogError::new(files.toml_place(), what));
        }
    };
    let query = QueryFile::parse(text)
        .map_err(|error| CatalogError::new(files.population_place(), error.to_string()))?;
    let freshness = toml.freshness.map(|toml| freshness(toml, files));
    Ok(Some(PopulationDefinition {
        table: toml.table,
        company: toml.company,
        until: toml.until,
        sequence: toml.sequence,
        companies: toml.companies,
        freshness: freshness.transpose()?,
        scopes: toml.scope.into_iter().map(scope).collect(),
        query,
    }))
}

fn freshness(toml: FreshnessToml, files: &ItemFiles) -> Result<FreshnessRule, CatalogError> {
    let bound = |name: Option<Spanned<String>>| {
        let Some(name) = name.map(Spanned::into_inner) else {
            return Ok(None);
        };
        let unknown = || {
            let what = format!("[population.freshness]: `{name}` is no day of the period");
            CatalogError::new(files.toml_place(), what)
        };
        Bound::of(&name).map(Some).ok_or_else(unknown)
    };
    Ok(FreshnessRule {
        column: toml.column.into_inner(),
        every_from: bound(toml.every_from)?,
        newest_from: bound(toml.newest_from)?,
    })
}

fn scope(toml: ScopeToml) -> ScopeRule {
    let known = toml.known.into_inner().into_iter();
    ScopeRule {
        column: toml.column.into_inner(),
        known: known.map(Spanned::into_inner).collect(),
    }
}
