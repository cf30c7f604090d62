//! The section `[witness]` of `ipe.toml` as people write it, and with `witness.sql` into a definition.

use serde::Deserialize;
use toml::Spanned;

use crate::domain::query::QueryFile;
use crate::domain::witness::WitnessDefinition;

use super::{CatalogError, ItemFiles};

/// How the witnesses are drawn; `witness.sql` goes with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WitnessToml {
    pub(super) by: Spanned<String>,
    pub(super) oldest: Option<Spanned<String>>,
}

/// The section of `ipe.toml` and its file: both or neither.
pub(super) fn definition(
    toml: Option<WitnessToml>,
    files: &ItemFiles,
) -> Result<Option<WitnessDefinition>, CatalogError> {
    let (toml, text) = match (toml, &files.witness) {
        (None, None) => return Ok(None),
        (Some(toml), Some(text)) => (toml, text),
        (Some(_), None) => {
            let what = "the file is missing, and ipe.toml has a section [witness]";
            return Err(CatalogError::new(files.witness_place(), what));
        }
        (None, Some(_)) => {
            let what = "witness.sql is there, and the section [witness] is missing";
            return Err(CatalogError::new(files.toml_place(), what));
        }
    };
    if files.population.is_none() {
        let what =
            "[witness] needs population.sql: witnesses are drawn from the rows that it keeps";
        return Err(CatalogError::new(files.toml_place(), what));
    }
    let query = QueryFile::parse(text)
        .map_err(|error| CatalogError::new(files.witness_place(), error.to_string()))?;
    Ok(Some(WitnessDefinition {
        by: toml.by.into_inner(),
        oldest: toml.oldest.map(Spanned::into_inner),
        query,
        sample: None,
    }))
}
