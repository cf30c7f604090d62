//! Whatever is changed in a package or its parts, the verifier names it.

use std::path::{Path, PathBuf};

use soxauto::domain::check::Verdict;
use soxauto::domain::digest::sha256_hex;
use soxauto::domain::ids::RunId;
use soxauto::domain::manifest::Staged;
use soxauto::domain::run::ItemStatus;
use soxauto::domain::totals::ControlTotals;
use soxauto::pipeline::keys::sidecar_path;
use soxauto::pipeline::package::read::read_bag;
use soxauto::pipeline::package::write::{manifest, package_folder};
use soxauto::pipeline::record::ItemRecord;
use soxauto::pipeline::stage::PartEncoder;

use super::sample::{batches, context, layout, staged};
use super::world::{
    World, assert_names, assert_valid, check_again, key_audit, second_path, verify,
};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Defect 4 of the predecessor: the verifier looked only whether files were there, and accepted a tampered snapshot.
#[tokio::test]
async fn a_byte_flipped_anywhere_or_a_file_deleted_is_named() {
    let world = World::run(300).await;
    let package = world.seal(&world.record).await;
    let folder = world
        .dir
        .path()
        .join("evidence")
        .join(package_folder(&world.record));
    let files = files_below(&folder);
    assert_eq!(files.len(), 22, "{files:#?}");
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        let original = std::fs::read(&file).unwrap();
        for position in [0, original.len() / 2, original.len() - 1] {
            let mut bytes = original.clone();
            bytes[position] ^= 1;
            std::fs::write(&file, bytes).unwrap();
            assert_names(
                &verify(&package).await,
                name,
                &format!("flipped byte {position}"),
            );
        }
        std::fs::write(&file, &original[..original.len() - 1]).unwrap();
        assert_names(&verify(&package).await, name, "cut");
        std::fs::remove_file(&file).unwrap();
        assert_names(&verify(&package).await, name, "deleted");
        std::fs::write(&file, original).unwrap();
    }
    assert_valid(&verify(&package).await);
    for name in [
        "data/extra.json",
        "notes.txt",
        "data/more/x",
        "tagmanifest-sha256.txt",
    ] {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "x").unwrap();
        assert_names(&verify(&package).await, name, "added");
        std::fs::remove_file(file).unwrap();
    }
    assert_valid(&verify(&package).await);
}

/// Writes a manifest that fits the files, as someone would who knows BagIt.
async fn hash_again(world: &World, folder: &Path) {
    let package = world.evidence.below(&package_folder(&world.record));
    let mut files = read_bag(&package).await.unwrap().files;
    files.retain(|path, _| path.starts_with("data/"));
    std::fs::write(folder.join("manifest-sha256.txt"), manifest(&files)).unwrap();
}

#[tokio::test]
async fn an_edited_file_with_a_fitting_manifest_is_named() {
    let world = World::run(300).await;
    let package = world.seal(&world.record).await;
    let folder = world
        .dir
        .path()
        .join("evidence")
        .join(package_folder(&world.record));
    hash_again(&world, &folder).await;
    assert_valid(&verify(&package).await);
    let sum = world.record.staged.as_ref().unwrap().totals.groups["EC_NG"].sums[0].to_string();
    for (name, from, to) in [
        ("data/record.json", sum.as_str(), "1.00000000000000000000"),
        ("data/totals.json", sum.as_str(), "1.00000000000000000000"),
        (
            "data/record.json",
            "\"status\": \"SUCCESS\"",
            "\"status\": \"SUCCESS\", \"more\": 1",
        ),
        ("data/summary.md", "**SUCCESS**", "**PERFECT**"),
        ("data/checks.json", "= decoded\"", "= guessed\""),
        ("data/query.sql", "ledger", "other"),
        ("data/parts.sha256", "part-00000", "part-00001"),
    ] {
        let file = folder.join(name);
        let original = std::fs::read_to_string(&file).unwrap();
        assert!(original.contains(from), "{name}: {from}");
        std::fs::write(&file, original.replacen(from, to, 1)).unwrap();
        hash_again(&world, &folder).await;
        let report = verify(&package).await;
        let place = if name == "data/record.json" {
            "data/"
        } else {
            name
        };
        assert_names(&report, place, &format!("{name}: {from} → {to}"));
        std::fs::write(&file, original).unwrap();
    }
}

type Edit = fn(&mut ItemRecord);

fn staged_of(record: &mut ItemRecord) -> &mut Staged {
    record.staged.as_mut().unwrap()
}

fn add_a_cent(totals: &mut ControlTotals) {
    let sum = &mut totals.groups.get_mut("EC_NG").unwrap().sums[0];
    *sum = sum
        .checked_add("0.01000000000000000000".parse().unwrap())
        .unwrap();
}

fn edits() -> [(&'static str, Edit); 24] {
    [
        ("decoded total", |r| add_a_cent(&mut staged_of(r).totals)),
        ("source total", |r| {
            add_a_cent(r.source_totals.as_mut().unwrap())
        }),
        ("warehouse total", |r| {
            add_a_cent(&mut r.read_back.as_mut().unwrap().totals)
        }),
        ("every total", |r| {
            add_a_cent(&mut staged_of(r).totals);
            add_a_cent(r.source_totals.as_mut().unwrap());
            add_a_cent(&mut r.recomputed.as_mut().unwrap().totals);
            add_a_cent(&mut r.read_back.as_mut().unwrap().totals);
        }),
        ("every digest", |r| {
            staged_of(r).digest.limbs[0] += 1;
            r.recomputed.as_mut().unwrap().digest.limbs[0] += 1;
            r.read_back.as_mut().unwrap().digest.limbs[0] += 1;
        }),
        ("failed without a reason", |r| r.status = ItemStatus::Failed),
        ("error without an error", |r| r.status = ItemStatus::Error),
        ("a check that did not run", |r| {
            r.checks[1].verdict = Verdict::NotRun
        }),
        ("a pass with findings", |r| {
            r.checks[1].findings.push("x".into())
        }),
        ("no transfer check", |r| drop(r.checks.remove(1))),
        ("no verification", |r| r.verification.clear()),
        ("a check less", |r| drop(r.checks.pop())),
        ("another run in the month", |r| {
            let runs = r.read_back_runs.as_mut().unwrap();
            runs.insert("20240501T000000Z-00000000".into(), 1);
        }),
        ("receipt rows", |r| {
            r.receipt.as_mut().unwrap().output_rows += 1
        }),
        ("receipt files", |r| {
            drop(r.receipt.as_mut().unwrap().source_uris.pop())
        }),
        ("another run", |r| {
            r.context.run_id = RunId::new(r.context.started_at, 9)
        }),
        ("another period", |r| {
            r.context.period = "2024-03".parse().unwrap()
        }),
        ("another contract version", |r| r.contract.version += 1),
        ("another definition", |r| {
            r.definition_sha256 = "ef".repeat(32)
        }),
        ("no read-back", |r| r.read_back = None),
        ("parts swapped", |r| staged_of(r).parts.swap(0, 1)),
        ("a part less", |r| drop(staged_of(r).parts.pop())),
        ("another query", |r| {
            r.executed[0].query.text.push_str(" AND 1=0")
        }),
        ("an unstamped dirty build", |r| {
            r.context.program.dirty = true
        }),
    ]
}

/// Someone who owns the program seals an edited record: every file fits, the values do not.
#[tokio::test]
async fn an_edited_record_sealed_whole_is_found() {
    let world = World::run(1_500).await;
    assert_valid(&world.verdict(&world.record).await);
    for (name, edit) in edits() {
        let mut record = world.record.clone();
        edit(&mut record);
        assert_ne!(record, world.record, "{name}");
        let report = world.verdict(&record).await;
        assert!(!report.findings.is_empty(), "{name}: {report:#?}");
    }
}

/// Nulls are counted again from the rows, whatever the record and its checks say together.
#[tokio::test]
async fn nulls_of_the_record_that_the_rows_do_not_have_are_found() {
    let world = World::run(300).await;
    let required = |record: &mut ItemRecord| {
        record.contract.columns[2].nullable = false;
        record.described.as_mut().unwrap().columns[2].nullable = false;
    };
    let invented = |record: &mut ItemRecord| record.nulls = Some(vec!["one null".into()]);
    let edits: [(&str, Edit); 2] = [("hidden", required), ("invented", invented)];
    for (name, edit) in edits {
        let mut record = world.record.clone();
        edit(&mut record);
        check_again(&mut record);
        let report = world.verdict(&record).await;
        let what = "the nulls of the record are not those of the rows";
        let found = report.findings.iter().find(|found| found.what == what);
        assert!(found.is_some(), "{name}: {report:#?}");
    }
}

/// Someone hides a repeated key: the sidecar, its hash in the record and the audit fit each other, not the rows.
#[tokio::test]
async fn a_sidecar_that_is_not_that_of_the_rows_is_found() {
    let world = World::run(300).await;
    let mut record = world.record.clone();
    let part = &mut staged_of(&mut record).parts[0];
    let forged: Vec<u8> = (0..part.rows).flat_map(u64::to_le_bytes).collect();
    part.keys_sha256 = sha256_hex(&forged);
    let file = world
        .dir
        .path()
        .join("staging")
        .join(sidecar_path(&part.path));
    std::fs::write(file, &forged).unwrap();
    record.keys = Some(key_audit(&world.staging, &record).await);
    let report = world.verdict(&record).await;
    assert_eq!(report.findings.len(), 1, "{report:#?}");
    let what = "the sidecar is not that of the keys of the rows";
    assert_eq!(report.findings[0].what, what);
}

/// A repeated key that the record does not tell.
#[tokio::test]
async fn an_audit_of_keys_that_the_sidecars_do_not_give_is_found() {
    let world = World::run(300).await;
    let mut record = world.record.clone();
    record.keys.as_mut().unwrap().rows -= 1;
    check_again(&mut record);
    let report = world.verdict(&record).await;
    let what = "the keys of the record are not those of the rows";
    assert!(
        report.findings.iter().any(|found| found.what == what),
        "{report:#?}"
    );
}

/// Defect 4 of the predecessor: a snapshot whose rows had been changed was accepted all the same.
#[tokio::test]
async fn changed_swapped_and_cut_parts_are_named() {
    let world = World::run(1_500).await;
    let package = world.seal(&world.record).await;
    let parts = &world.record.staged.as_ref().unwrap().parts;
    let staging = world.dir.path().join("staging");
    let (first, second) = (staging.join(&parts[0].path), staging.join(&parts[1].path));
    let (one, two) = (
        std::fs::read(&first).unwrap(),
        std::fs::read(&second).unwrap(),
    );

    std::fs::write(&first, &two).unwrap();
    std::fs::write(&second, &one).unwrap();
    let report = verify(&package).await;
    assert_names(&report, &parts[0].uri, "swapped");
    assert_names(&report, &parts[1].uri, "swapped");

    std::fs::write(&second, &two).unwrap();
    for position in (0..one.len()).step_by(one.len() / 7) {
        let mut bytes = one.clone();
        bytes[position] ^= 1;
        std::fs::write(&first, bytes).unwrap();
        assert_names(
            &verify(&package).await,
            &parts[0].uri,
            &format!("flipped {position}"),
        );
    }
    for length in [0, 7, one.len() / 2, one.len() - 1] {
        std::fs::write(&first, &one[..length]).unwrap();
        assert_names(
            &verify(&package).await,
            &parts[0].uri,
            &format!("cut to {length}"),
        );
    }
    std::fs::write(&first, &one).unwrap();
    assert_valid(&verify(&package).await);
}

/// A part of another run with the record's totals, digest and hashes made to fit it: only footer and metadata tell.
#[tokio::test]
async fn a_part_of_another_run_is_told_by_footer_and_metadata_columns() {
    let world = World::run(200).await;
    let mut record = world.record.clone();
    let (run, other) = (context(1), context(2));
    for (name, layout_of, rows_of, expected) in [
        ("rows of another run", &run, &other, "_run_id"),
        ("footer of another run", &other, &run, "soxauto.run_id"),
    ] {
        let (schema, batches) = batches(rows_of, 200);
        let mut encoder = PartEncoder::new(layout(layout_of, schema)).unwrap();
        for batch in &batches {
            assert!(encoder.push(batch).unwrap().is_none());
        }
        let part = encoder.finish().unwrap().unwrap();
        let held = &mut staged_of(&mut record).parts[0];
        held.sha256 = sha256_hex(&part.bytes);
        held.bytes = u64::try_from(part.bytes.len()).unwrap();
        let path = world.dir.path().join("staging").join(&held.path);
        let uri = held.uri.clone();
        std::fs::write(path, &part.bytes).unwrap();
        let report = world.verdict(&record).await;
        assert_names(&report, &uri, name);
        assert!(
            report
                .findings
                .iter()
                .all(|found| found.what.contains(expected)),
            "{report:#?}"
        );
    }
}

/// A row exchanged in a part, with hashes, totals of that part and rows made to fit: the digest tells.
#[tokio::test]
async fn exchanged_rows_with_fitting_hashes_are_found() {
    let world = World::run(200).await;
    let run = context(1);
    let (schema, mut batches) = batches(&run, 300);
    batches.swap(1, 2);
    batches.truncate(2);
    let mut encoder = PartEncoder::new(layout(&run, schema)).unwrap();
    for batch in &batches {
        encoder.push(batch).unwrap();
    }
    let part = encoder.finish().unwrap().unwrap();
    let mut record = world.record.clone();
    let held = &mut staged_of(&mut record).parts[0];
    held.sha256 = sha256_hex(&part.bytes);
    held.bytes = u64::try_from(part.bytes.len()).unwrap();
    std::fs::write(
        world.dir.path().join("staging").join(&held.path),
        &part.bytes,
    )
    .unwrap();
    let report = world.verdict(&record).await;
    assert_names(&report, "data/digest.json", "exchanged rows");
    let again = second_path(vec![part.bytes]).await;
    assert_eq!(again.digest.rows, 200);
    let own = staged(&world.staging, &context(3), 200).await;
    assert_ne!(own.digest, again.digest);
}
