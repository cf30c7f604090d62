//! The first line of a file: which separator it has, and which columns it names.

use super::wrong;
use crate::domain::contract::Contract;
use crate::domain::text_file::lines::{LineForm, Lines};
use crate::domain::uploaded::{FileColumn, FileDefinition, PlacedColumn, Separator};
use crate::ports::PortError;

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) separator: Separator,
    pub(super) fields: usize,
    pub(super) columns: Vec<PlacedColumn>,
    /// Names that mean no column.
    pub(super) left_out: Vec<String>,
}

/// What one separator makes of the first line.
struct Reading {
    separator: Separator,
    names: Vec<String>,
    /// The column of the definition that each name means.
    means: Vec<Option<usize>>,
}

impl Reading {
    fn of(line: &str, separator: Separator, columns: &[FileColumn]) -> Option<Self> {
        let form = LineForm {
            delimiter: separator.character(),
            quotes: true,
        };
        let mut fields = Vec::new();
        Lines::of(line, form).next(&mut fields).ok()??;
        let names: Vec<String> = fields
            .iter()
            .map(|field| field.text.trim().to_owned())
            .collect();
        let means = names.iter().map(|name| {
            let means = |column: &FileColumn| column.headers.iter().any(|h| same(h, name));
            columns.iter().position(means)
        });
        Some(Self {
            separator,
            means: means.collect(),
            names,
        })
    }

    fn known(&self) -> usize {
        self.means.iter().flatten().count()
    }

    /// Fields that mean a column of the definition, from 0.
    fn fields_of(&self, column: usize) -> Vec<usize> {
        let means = self.means.iter().enumerate();
        means
            .filter(|(_, means)| **means == Some(column))
            .map(|(field, _)| field)
            .collect()
    }
}

/// Equal but for case and the spaces around.
fn same(header: &str, name: &str) -> bool {
    header.trim().to_lowercase() == name.to_lowercase()
}

/// Reads the first line: with the declared separator, else with the one by which it names what the item must have.
///
/// # Errors
/// A line that is no header of the item; a column that is missing or is there twice. Never a name of the file: where
/// there is no header, the first line is a row.
pub(super) fn header(
    line: &str,
    declared: Option<Separator>,
    definition: &FileDefinition,
    contract: &Contract,
) -> Result<Header, PortError> {
    let separators = declared.map_or_else(|| Separator::ALL.to_vec(), |one| vec![one]);
    let readings = separators
        .into_iter()
        .filter_map(|separator| Reading::of(line, separator, &definition.columns));
    let best = readings.max_by_key(Reading::known);
    let Some(reading) = best.filter(|reading| reading.known() > 0) else {
        return Err(wrong(
            "line 1: names no column of the item: the file has no header line, is another file, or has another separator",
            "export it with its column names in the first line; declare a separator with --file-form if it is none of , \
             ; | and tab",
        ));
    };
    placed(reading, definition, contract)
}

fn placed(
    reading: Reading,
    definition: &FileDefinition,
    contract: &Contract,
) -> Result<Header, PortError> {
    for (place, column) in definition.columns.iter().enumerate() {
        let fields = reading.fields_of(place);
        let names = column.headers.join("`, `");
        if fields.len() > 1 {
            let places: Vec<String> = fields.iter().map(|field| (field + 1).to_string()).collect();
            return Err(wrong(
                format!(
                    "line 1: columns no. {} all mean `{}`",
                    places.join(", "),
                    column.name
                ),
                format!("export only one of them; each of these names means it: `{names}`"),
            ));
        }
        if fields.is_empty() && column.required {
            return Err(wrong(
                format!("line 1: no column means `{}`", column.name),
                format!(
                    "name it in the first line by one of `{names}`, whatever the case; with --file-form the separator can \
                     be declared"
                ),
            ));
        }
    }
    let of_contract = contract.columns.iter();
    let columns = of_contract
        .filter(|column| column.name != definition.line)
        .map(|column| {
            let mut columns = definition.columns.iter();
            let place = columns.position(|known| known.name == column.name);
            let field = place.and_then(|place| reading.fields_of(place).first().copied());
            PlacedColumn {
                name: column.name.clone(),
                field,
            }
        });
    let unknown = reading.names.iter().zip(&reading.means);
    let unknown = unknown.filter(|(_, means)| means.is_none());
    Ok(Header {
        separator: reading.separator,
        fields: reading.names.len(),
        columns: columns.collect(),
        left_out: unknown.map(|(name, _)| name.clone()).collect(),
    })
}
