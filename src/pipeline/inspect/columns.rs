//! Columns: what they are, whose values are masked, and what they hold.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use arrow::datatypes::{DataType, Field};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::schema::printer::print_schema;
use serde::Deserialize;

use super::open::{GroupAt, Parts, RowAt};
use super::runs::{self, Run};
use super::{
    ALL_ROWS_MAX, ColumnView, Look, MASK, Reading, RowView, SAMPLE_GROUPS, SAMPLE_ROWS, find,
    refuse,
};
use crate::domain::contract::Contract;
use crate::kernels::profile::ColumnFold;
use crate::kernels::values::is_exact_number;
use crate::ports::PortError;

/// A column of `soxauto.columns` in a footer.
#[derive(Debug, Clone, Deserialize)]
struct Origin {
    name: String,
    source: String,
    sql_type: String,
}

/// One column of the files.
struct Column {
    field: Field,
    origin: Option<Origin>,
    parquet: String,
    personal: bool,
    amount: bool,
}

/// The columns of the files, in order.
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Whether values marked personal are shown.
    show_personal: bool,
    /// Whether texts are masked only because nobody says which of them are personal.
    unknown: bool,
}

/// What the footers say of one column over all rows; `None` where one of them does not say it.
struct Footers {
    nulls: Option<u64>,
    bounds: Option<ColumnFold>,
    /// Whether the bounds are values of rows, not cut ones.
    exact: bool,
}

impl Columns {
    /// The first contract is that of the rows. A column is personal as soon as one of them says so: a table keeps the
    /// contract that it was made with, and a later one may know better.
    pub(super) fn new(parts: &Parts, contracts: &[&Contract], show_personal: bool) -> Self {
        let origins: BTreeMap<String, Origin> = parts
            .key_values()
            .filter_map(|(pairs, _)| serde_json::from_str(pairs.get("soxauto.columns")?).ok())
            .flat_map(|origins: Vec<Origin>| origins)
            .map(|origin| (origin.name.clone(), origin))
            .collect();
        let mut unknown = false;
        let fields = parts.schema().fields().iter();
        let columns = fields.map(|field| {
            let name = field.name();
            let known: Vec<_> = contracts.iter().filter_map(|c| c.column(name)).collect();
            // A column that nobody knows may hold names: only metadata and what is no text is shown.
            let guess = !name.starts_with('_') && may_name_a_person(field.data_type());
            unknown |= known.is_empty() && guess;
            Column {
                field: field.as_ref().clone(),
                origin: origins.get(name).cloned(),
                parquet: parquet_type(parts, name),
                personal: match known.is_empty() {
                    true => guess,
                    false => known.iter().any(|column| column.personal),
                },
                amount: match contracts.is_empty() {
                    true => matches!(field.data_type(), DataType::Decimal128(..)),
                    false => known.first().is_some_and(|column| column.amount),
                },
            }
        });
        Self {
            columns: columns.collect(),
            show_personal,
            unknown,
        }
    }

    /// What a reader should know about the masks.
    pub(super) fn note(&self) -> Option<String> {
        let note = "nothing says which columns are personal: texts without a contract are masked; \
                    --show-personal shows them";
        (self.unknown && !self.show_personal).then(|| note.to_owned())
    }

    fn masked(&self, column: &Column) -> bool {
        column.personal && !self.show_personal
    }

    /// A row with its masks.
    pub(super) fn row(&self, at: RowAt) -> RowView {
        let cells = self.columns.iter().zip(at.cells);
        let cells = cells.map(|(column, cell)| match cell {
            Some(_) if self.masked(column) => Some(MASK.to_owned()),
            cell => cell,
        });
        RowView {
            row: at.row,
            cells: cells.collect(),
        }
    }

    /// A column whose values may be shown.
    ///
    /// # Errors
    /// `Query` for a column that is not there or that is masked.
    pub(super) fn shown(&self, name: &str) -> Result<&Field, PortError> {
        let Some(column) = self.columns.iter().find(|c| c.field.name() == name) else {
            let names: Vec<&str> = self
                .columns
                .iter()
                .map(|c| c.field.name().as_str())
                .collect();
            let hint = format!("columns are {}", names.join(", "));
            return Err(refuse(format!("there is no column `{name}`"), &hint));
        };
        if self.masked(column) {
            let what = format!("the values of column `{name}` are personal or may be");
            return Err(refuse(what, "add --show-personal to see them"));
        }
        Ok(&column.field)
    }

    /// The columns that are summed.
    pub(super) fn amounts(&self) -> impl Iterator<Item = &Field> {
        let exact = |column: &&Column| column.amount && is_exact_number(column.field.data_type());
        self.columns
            .iter()
            .filter(exact)
            .map(|column| &column.field)
    }

    /// What every column holds: nulls and bounds of all rows by the footers, distinct values of the rows that are read,
    /// sums of all rows where they were read or recorded.
    pub(super) async fn profile(
        &self,
        parts: &Parts,
        look: &Look,
        runs: &[Run],
    ) -> Result<(Vec<ColumnView>, Reading), PortError> {
        let groups = groups_to_read(parts, look);
        let read: u64 = groups.iter().map(|group| group.rows).sum();
        let all = read == parts.rows();
        let mut folds: Vec<ColumnFold> = self
            .columns
            .iter()
            .map(|column| ColumnFold::new(column.field.data_type()))
            .collect();
        parts
            .read(&groups, None, &mut |batch| {
                for (fold, array) in folds.iter_mut().zip(batch.columns()) {
                    fold.fold(array);
                }
                Ok(())
            })
            .await?;
        let recorded = runs::sums(runs);
        let views = self.columns.iter().zip(&folds).map(|(column, fold)| {
            let name = column.field.name();
            let footers = (!all).then(|| footers(parts, &column.field));
            let bounds = match &footers {
                Some(footers) => footers.bounds.as_ref().map(ColumnFold::bounds),
                None => Some(fold.bounds()),
            };
            let [min, max] = bounds.unwrap_or_default().map(|bound| match bound {
                Some(_) if self.masked(column) => Some(MASK.to_owned()),
                bound => bound,
            });
            let counted = fold.sum().filter(|_| all && column.amount);
            let known = recorded.get(name).filter(|_| column.amount);
            let known = known.map(ToString::to_string);
            ColumnView {
                name: name.clone(),
                source: column.origin.as_ref().map(|origin| origin.source.clone()),
                sql_type: column.origin.as_ref().map(|origin| origin.sql_type.clone()),
                parquet: column.parquet.clone(),
                personal: column.personal,
                amount: column.amount,
                nulls: footers.as_ref().map_or(Some(fold.nulls), |f| f.nulls),
                distinct: Some(fold.distinct()),
                min,
                max,
                bounds_exact: footers.as_ref().is_none_or(|footers| footers.exact),
                sum_from: match (&counted, &known) {
                    (Some(_), _) => Some("rows"),
                    (None, Some(_)) => Some("record"),
                    (None, None) => None,
                },
                sum: counted.or(known),
            }
        });
        let reading = Reading {
            rows: read,
            all,
            seed: look.seed,
        };
        Ok((views.collect(), reading))
    }
}

fn may_name_a_person(data_type: &DataType) -> bool {
    let inner = match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    !(inner.is_numeric() || inner.is_temporal() || matches!(inner, DataType::Boolean))
}

/// All rows of a small table or on demand, otherwise the first rows of random row groups.
fn groups_to_read(parts: &Parts, look: &Look) -> Vec<GroupAt> {
    let mut groups: Vec<GroupAt> = parts.groups().collect();
    if look.full || parts.rows() <= ALL_ROWS_MAX {
        return groups;
    }
    let mut state = look.seed;
    let mut chosen = Vec::new();
    while chosen.len() < SAMPLE_GROUPS && !groups.is_empty() {
        let count = u64::try_from(groups.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(find::below(&mut state, count)).unwrap_or_default();
        chosen.push(groups.swap_remove(place).first(SAMPLE_ROWS));
    }
    chosen
}

fn footers(parts: &Parts, field: &Field) -> Footers {
    let mut found = Footers {
        nulls: Some(0),
        bounds: Some(ColumnFold::new(field.data_type())),
        exact: true,
    };
    for footer in parts.footers() {
        if fold_footer(footer, field, &mut found).is_err() {
            found.nulls = None;
            found.bounds = None;
        }
    }
    found
}

fn fold_footer(
    footer: &ArrowReaderMetadata,
    field: &Field,
    found: &mut Footers,
) -> Result<(), ParquetError> {
    let groups = footer.metadata().row_groups();
    let (arrow, parquet) = (footer.schema(), footer.parquet_schema());
    let statistics = StatisticsConverter::try_new(field.name(), arrow, parquet)?
        .with_missing_null_counts_as_zero(false);
    let nulls = statistics.row_group_null_counts(groups)?;
    for count in &nulls {
        let sum = found.nulls.zip(count);
        found.nulls = sum.map(|(sum, count)| sum.saturating_add(count));
    }
    let sides = [
        (
            statistics.row_group_mins(groups)?,
            statistics.row_group_is_min_value_exact(groups)?,
        ),
        (
            statistics.row_group_maxes(groups)?,
            statistics.row_group_is_max_value_exact(groups)?,
        ),
    ];
    for (bounds, exact) in sides {
        found.exact &= !exact.iter().any(|exact| exact == Some(false));
        // Only a group without values may have no bound.
        let rows = groups
            .iter()
            .map(|group| u64::try_from(group.num_rows()).ok());
        let is_complete = rows
            .zip(&nulls)
            .enumerate()
            .all(|(place, (rows, nulls))| bounds.is_valid(place) || rows == nulls);
        match &mut found.bounds {
            Some(fold) if is_complete => fold.fold_bounds(&bounds),
            incomplete => *incomplete = None,
        }
    }
    Ok(())
}

/// Physical and logical type of a column as the schema of the file has it.
fn parquet_type(parts: &Parts, name: &str) -> String {
    let schema = parts
        .footers()
        .next()
        .map(|f| f.parquet_schema().root_schema());
    let fields = schema.into_iter().flat_map(|schema| schema.get_fields());
    let Some(field) = fields.into_iter().find(|field| field.name() == name) else {
        return String::new();
    };
    if field.is_group() {
        return "group".to_owned();
    }
    let mut text = Vec::new();
    print_schema(&mut text, field);
    let text = String::from_utf8_lossy(&text);
    let text = text.trim().trim_end_matches(';');
    text.replacen(&format!(" {name}"), "", 1)
}
