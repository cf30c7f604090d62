//! Names of jobs. BigQuery runs a job id once: the same work has the same name, so that a lost reply, a retry or a
//! second run meets the job that is there instead of doing it again.

use std::collections::BTreeMap;

use super::table::columns;
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::run::Fence;
use crate::ports::LoadJob;

/// Hex digits of a hash in a name.
const HASH_CHARS: usize = 32;

/// Name of the load of these files into this month; its attempts are numbered behind it, see [`attempt`].
#[must_use]
pub fn load_name(place: &str, contract: &Contract, job: &LoadJob) -> String {
    let mut text = format!(
        "{place}\n{}\n{}\n{}\n",
        job.metadata.run_id, job.table, job.period
    );
    for part in &job.parts {
        text.push_str(&format!("{} {}\n", part.uri, part.sha256));
    }
    for column in columns(contract) {
        text.push_str(&format!(
            "{} {} {}\n",
            column.name, column.data_type, column.nullable
        ));
    }
    format!("soxauto_load_{}", hashed(&text))
}

/// Id of an attempt of what has that name, from 1.
#[must_use]
pub fn attempt(name: &str, generation: u32) -> String {
    format!("{name}_{generation}")
}

/// Id of the job that stands for a place in the line of runs of one month: whoever creates it first says whether the
/// run of that place may load.
#[must_use]
pub fn place_id(place: &str, job: &LoadJob, fence: &Fence) -> String {
    let text = format!("{place}\n{}\n{}\n{}\n", job.table, job.period, fence.line);
    format!("soxauto_place_{}_{}", hashed(&text), fence.generation)
}

/// Name of the replacement of an empty table; its attempts are numbered behind it, see [`attempt`]. Another table by the
/// same name was made at another time, so that each is replaced once at most, whoever asks for it and how often.
#[must_use]
pub fn replacement_name(place: &str, table: &str, made_at: &str) -> String {
    format!(
        "soxauto_table_{}",
        hashed(&format!("{place}\n{table}\n{made_at}\n"))
    )
}

/// What a job is for, in the form that labels may have.
#[must_use]
pub fn labels(job: &LoadJob) -> BTreeMap<String, String> {
    [
        ("ipe", job.metadata.ipe_id.as_str()),
        ("run", job.metadata.run_id.as_str()),
        ("period", &job.period.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_lowercase()))
    .into()
}

fn hashed(text: &str) -> String {
    let hash = sha256_hex(text.as_bytes());
    hash.get(..HASH_CHARS).unwrap_or(&hash).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::PartFile;
    use crate::domain::run::RowMetadata;
    use crate::kernels::samples::{column, vector_contract};

    fn job() -> LoadJob {
        let start = "2024-05-01T09:00:00Z".parse().unwrap();
        let part = |n: u8| PartFile {
            uri: format!("gs://b/part-{n}"),
            path: format!("part-{n}"),
            bytes: 1,
            sha256: format!("{n}").repeat(64),
            rows: 1,
            keys_sha256: String::new(),
        };
        LoadJob {
            table: "pg01_validated_ipe_cr_04".into(),
            period: "2024-04".parse().unwrap(),
            metadata: RowMetadata {
                ipe_id: "CR_04".parse().unwrap(),
                extraction_date: start,
                cutoff_date: "2024-05-01".parse().unwrap(),
                processing_timestamp: start,
                source_system: "x".into(),
                run_id: "20240501T090000Z-1a2b3c4d".parse().unwrap(),
                period: "2024-04-01".parse().unwrap(),
            },
            parts: vec![part(1), part(2)],
            fence: None,
        }
    }

    #[test]
    fn a_load_has_one_name_and_any_other_load_another() {
        let (contract, job) = (vector_contract(), job());
        let name = load_name("p.d", &contract, &job);
        assert_eq!(name, load_name("p.d", &contract, &job.clone()));
        assert_eq!(name.len(), "soxauto_load_".len() + 32);
        let changed = |change: &dyn Fn(&mut LoadJob)| {
            let mut other = job.clone();
            change(&mut other);
            load_name("p.d", &contract, &other)
        };
        let mut wider = contract.clone();
        wider.columns.push(column("later", "int"));
        let others = [
            load_name("p.e", &contract, &job),
            load_name("p.d", &wider, &job),
            changed(&|job| job.table.push('x')),
            changed(&|job| job.period = "2024-05".parse().unwrap()),
            changed(&|job| job.metadata.run_id = "20240501T090000Z-00000000".parse().unwrap()),
            changed(&|job| job.parts.swap(0, 1)),
            changed(&|job| job.parts[1].sha256 = "f".repeat(64)),
            changed(&|job| job.parts[1].uri.push('x')),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(*other, name, "{at}");
        }
        assert_eq!(attempt(&name, 2), format!("{name}_2"));
    }

    #[test]
    fn a_place_belongs_to_a_month_and_a_line_whatever_is_loaded() {
        let fence = |line: &str, generation| Fence {
            line: line.parse().unwrap(),
            generation,
        };
        let first = fence("20240501T090000Z-00000001", 1);
        let id = place_id("p.d", &job(), &first);
        let mut of_another_run = job();
        of_another_run.metadata.run_id = "20240501T090000Z-00000009".parse().unwrap();
        of_another_run.parts.clear();
        assert_eq!(place_id("p.d", &of_another_run, &first), id);
        let mut of_another_month = job();
        of_another_month.period = "2024-05".parse().unwrap();
        for other in [
            place_id("p.d", &job(), &fence("20240501T090000Z-00000001", 2)),
            place_id("p.d", &job(), &fence("20240501T090000Z-00000002", 1)),
            place_id("p.d", &of_another_month, &first),
            place_id("p.e", &job(), &first),
        ] {
            assert_ne!(other, id);
        }
    }

    #[test]
    fn a_table_is_replaced_under_one_name_until_there_is_another() {
        let name = replacement_name("p.d", "t", "1700000000000");
        assert_eq!(name, replacement_name("p.d", "t", "1700000000000"));
        for other in [
            replacement_name("p.d", "t", "1700000000001"),
            replacement_name("p.d", "u", "1700000000000"),
            replacement_name("p.e", "t", "1700000000000"),
        ] {
            assert_ne!(other, name);
        }
    }

    #[test]
    fn labels_have_the_letters_that_labels_may_have() {
        let labels = labels(&job());
        assert_eq!(labels["run"], "20240501t090000z-1a2b3c4d");
        assert_eq!(
            (labels["ipe"].as_str(), labels["period"].as_str()),
            ("cr_04", "2024-04")
        );
    }
}
