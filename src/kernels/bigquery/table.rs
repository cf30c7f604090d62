//! The table of a contract: the statement that makes it, and what its columns must be afterwards.
//!
//! Content columns may be null whatever the contract says: parts are staged so, because their schema is fixed before
//! the last row is known, and BigQuery takes no file with a column that may be null into one that may not. A null where
//! none is allowed holds the item before its load, and the digest of the read-back tells a null from every value
//! (ADR-0030). Metadata columns may not be null.

use super::{data_type, full_name, literal};
use crate::domain::contract::Contract;

/// Longest description of a column.
///
/// # Source
/// BigQuery refuses longer ones.
const DESCRIPTION_CHARS_MAX: usize = 1_024;

/// The end of a statement whose table goes away by itself.
const EXPIRES: &str =
    "\nOPTIONS(expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR))";

/// The column by which a table is partitioned, a month a partition.
pub const PARTITION_COLUMN: &str = "_period";

/// The metadata columns with their types, in the order in which they follow the content columns.
const METADATA: [(&str, &str, &str); 7] = [
    ("_ipe_id", "STRING", "Item of the catalog"),
    (
        "_extraction_date",
        "TIMESTAMP",
        "Start of the run that extracted the row",
    ),
    ("_cutoff_date", "DATE", "First day that is not included"),
    ("_processing_timestamp", "TIMESTAMP", "Start of the run"),
    ("_source_system", "STRING", "Program that wrote the row"),
    (
        "_run_id",
        "STRING",
        "Run that wrote the row; its evidence package has the same name",
    ),
    (
        PARTITION_COLUMN,
        "DATE",
        "First day of the closed month; its partition is replaced whole",
    ),
];

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Type with its parameters.
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What the table of a contract consists of, in order.
#[must_use]
pub fn columns(contract: &Contract) -> Vec<TableColumn> {
    let content = contract.columns.iter().map(|column| TableColumn {
        name: column.name.clone(),
        data_type: data_type(column.column_type),
        nullable: true,
    });
    let metadata = METADATA.iter().map(|(name, data_type, _)| TableColumn {
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
        nullable: false,
    });
    content.chain(metadata).collect()
}

/// The statement that makes the table of a contract where there is none; `table` is its full name.
#[must_use]
pub fn create(table: &str, contract: &Contract) -> String {
    format!("CREATE TABLE IF NOT EXISTS {}", definition(table, contract))
}

/// The statement that makes a table for a trial: BigQuery removes it after an hour, whatever happens to who made it.
#[must_use]
pub fn create_for_an_hour(table: &str, contract: &Contract) -> String {
    format!("CREATE TABLE {}{EXPIRES}", definition(table, contract))
}

/// The script that puts the table of a contract in the place of one that was found to hold no rows. It looks again
/// before it drops: BigQuery does not replace a table by one with other partitions, and somebody may have filled it.
///
/// A table without columns cannot be asked for rows, and is asked for columns instead.
#[must_use]
pub fn replace_empty(
    (project, dataset, table): (&str, &str, &str),
    contract: &Contract,
    has_columns: bool,
) -> String {
    let name = full_name(project, dataset, table);
    let (rows, found) = if has_columns {
        (format!("{name} LIMIT 1"), "rows")
    } else {
        let columns = format!("`{project}`.`{dataset}`.INFORMATION_SCHEMA.COLUMNS");
        let of_it = format!("{columns} WHERE table_name = {}", literal(table));
        (of_it, "columns")
    };
    format!(
        "IF EXISTS(SELECT 1 FROM {rows}) THEN\n  RAISE USING MESSAGE = 'the table has {found} by now, it was left as it is';\nEND IF;\nDROP TABLE {name};\nCREATE TABLE {}",
        definition(&name, contract)
    )
}

/// The statement that keeps table and months for good.
///
/// `OPTIONS(… = NULL)` of a statement that makes a table is no way to say so: BigQuery passes over it, and what the
/// dataset says of new tables is taken.
#[must_use]
pub fn keep(table: &str) -> String {
    format!(
        "ALTER TABLE {table} SET OPTIONS(partition_expiration_days=NULL, expiration_timestamp=NULL)"
    )
}

/// Columns, partitions and clusters behind the name of the table.
fn definition(table: &str, contract: &Contract) -> String {
    let texts = contract
        .columns
        .iter()
        .map(|column| column.description.as_str())
        .chain(METADATA.iter().map(|(_, _, text)| *text));
    let lines = columns(contract)
        .into_iter()
        .zip(texts)
        .map(|(column, text)| {
            let null = if column.nullable { "" } else { " NOT NULL" };
            let text: String = text.chars().take(DESCRIPTION_CHARS_MAX).collect();
            let options = if text.is_empty() {
                String::new()
            } else {
                format!(" OPTIONS(description={})", literal(&text))
            };
            format!("  `{}` {}{null}{options}", column.name, column.data_type)
        });
    format!(
        "{table} (\n{}\n)\nPARTITION BY DATE_TRUNC(`{PARTITION_COLUMN}`, MONTH)\nCLUSTER BY `{}`",
        lines.collect::<Vec<_>>().join(",\n"),
        contract.company
    )
}

/// Every way in which a table is not that of the contract, one sentence each; empty when it is.
#[must_use]
pub fn differences(contract: &Contract, found: &[TableColumn]) -> Vec<String> {
    let expected = columns(contract);
    let mut said = Vec::new();
    for (place, column) in expected.iter().enumerate() {
        let at = found.iter().position(|other| other.name == column.name);
        match at.and_then(|at| Some((at, found.get(at)?))) {
            None => said.push(format!("column `{}` is not in the table", column.name)),
            Some((at, other)) => {
                if bare(&other.data_type) != bare(&column.data_type) {
                    said.push(format!(
                        "column `{}` is {} in the table and {} by the contract",
                        column.name, other.data_type, column.data_type
                    ));
                }
                if other.nullable != column.nullable {
                    let may = |nullable| if nullable { "may" } else { "may not" };
                    said.push(format!(
                        "column `{}` {} be null in the table and {} by the contract",
                        column.name,
                        may(other.nullable),
                        may(column.nullable)
                    ));
                }
                if at != place {
                    said.push(format!(
                        "column `{}` stands at position {} of the table, at {} of the contract",
                        column.name,
                        at + 1,
                        place + 1
                    ));
                }
            }
        }
    }
    let known = |name: &str| expected.iter().any(|column| column.name == name);
    let extra = found.iter().filter(|column| !known(&column.name));
    said.extend(extra.map(|column| {
        format!(
            "column `{}` of the table is not in the contract",
            column.name
        )
    }));
    said
}

/// A type without the blanks that it may be written with.
fn bare(data_type: &str) -> String {
    data_type.replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conform::{METADATA_COLUMNS, staged_schema};
    use crate::kernels::samples::vector_contract as contract;

    #[test]
    fn the_columns_are_those_of_the_staged_parts() {
        let contract = contract();
        let staged = staged_schema(&contract);
        let columns = columns(&contract);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let staged_names: Vec<&str> = staged
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, staged_names);
        assert_eq!(METADATA.map(|(name, _, _)| name), METADATA_COLUMNS);
        for (column, field) in columns.iter().zip(staged.fields()) {
            assert_eq!(column.nullable, field.is_nullable(), "{}", column.name);
        }
    }

    #[test]
    fn the_statement_partitions_by_month_clusters_by_company_and_describes() {
        let mut contract = contract();
        contract.columns[0].description = "the company's code".into();
        let text = create("`p.d.t`", &contract);
        let company = contract.company.clone();
        assert!(
            text.starts_with("CREATE TABLE IF NOT EXISTS `p.d.t` (\n"),
            "{text}"
        );
        assert!(
            text.contains(" OPTIONS(description='the company\\'s code')"),
            "{text}"
        );
        assert!(
            text.contains("  `_run_id` STRING NOT NULL OPTIONS("),
            "{text}"
        );
        assert!(
            text.ends_with(&format!(
                "PARTITION BY DATE_TRUNC(`_period`, MONTH)\nCLUSTER BY `{company}`"
            )),
            "{text}"
        );
        let trial = create_for_an_hour("`p.d.t`", &contract);
        let kept = text.replacen("CREATE TABLE IF NOT EXISTS", "CREATE TABLE", 1);
        assert_eq!(trial, format!("{kept}{EXPIRES}"), "only its end is another");
        assert!(!text.contains("expiration"), "{text}");
    }

    #[test]
    fn an_empty_table_is_looked_at_again_dropped_and_made_in_this_order() {
        let contract = contract();
        let script = |has_columns| replace_empty(("p", "d", "t"), &contract, has_columns);
        for (script, asked) in [
            (script(true), "SELECT 1 FROM `p.d.t` LIMIT 1"),
            (
                script(false),
                "SELECT 1 FROM `p`.`d`.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 't'",
            ),
        ] {
            let steps = [
                asked,
                "RAISE",
                "END IF;",
                "DROP TABLE `p.d.t`;",
                "CREATE TABLE `p.d.t` (",
            ];
            let places = steps.map(|step| script.find(step).expect(step));
            assert!(places.is_sorted(), "{script}");
            assert!(!script.contains("OR REPLACE"), "{script}");
        }
    }

    #[test]
    fn every_difference_of_a_table_is_named_and_equality_is_silent() {
        let contract = contract();
        let good = columns(&contract);
        assert_eq!(differences(&contract, &good), Vec::<String>::new());
        let mut spaced = good.clone();
        for column in &mut spaced {
            column.data_type = bare(&column.data_type);
        }
        assert_eq!(differences(&contract, &spaced), Vec::<String>::new());

        let first = good[0].name.clone();
        let broken = |change: &dyn Fn(&mut Vec<TableColumn>)| {
            let mut table = good.clone();
            change(&mut table);
            differences(&contract, &table).join("; ")
        };
        let gone = broken(&|table| drop(table.remove(0)));
        assert!(
            gone.contains(&format!("column `{first}` is not in the table")),
            "{gone}"
        );
        let other = broken(&|table| table[0].data_type = "INT64X".into());
        assert!(
            other.contains(&format!("column `{first}` is INT64X in the table and ")),
            "{other}"
        );
        let null = broken(&|table| table.last_mut().unwrap().nullable = true);
        assert_eq!(
            null,
            "column `_period` may be null in the table and may not by the contract"
        );
        let moved = broken(&|table| table.swap(0, 1));
        assert!(
            moved.contains("stands at position 2 of the table, at 1"),
            "{moved}"
        );
        let more = broken(&|table| {
            table.push(TableColumn {
                name: "later".into(),
                data_type: "STRING".into(),
                nullable: true,
            });
        });
        assert_eq!(more, "column `later` of the table is not in the contract");
    }
}
