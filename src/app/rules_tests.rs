//! Which rules are used, and by which path a mistake in them is named.

use tempfile::TempDir;

use super::*;

/// A copy of the built-in rules.
fn copy() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("own");
    write(&folder).unwrap();
    (dir, folder)
}

fn refused(choice: &RuleChoice) -> String {
    choice.rules().unwrap_err().to_string()
}

/// Writes a file with something else in it, and gives its path.
fn bend(folder: &Path, place: &str, from: &str, to: &str) -> PathBuf {
    let path = folder.join(place);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{place}: {from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    path
}

#[test]
fn the_built_in_rules_are_sound() {
    let rules = RuleChoice::BuiltIn.rules().unwrap();
    assert_eq!(
        (rules.place.as_str(), rules.contract.version),
        ("rules/reconciliation/v1.toml", 1)
    );
    assert_eq!(rules.files.len(), 5, "{:?}", rules.files.keys());
    assert_eq!(RuleChoice::BuiltIn.stamp(), None);
}

#[test]
fn a_copy_of_the_built_in_rules_says_what_they_say() {
    let (_dir, folder) = copy();
    let built_in = RuleChoice::BuiltIn.rules().unwrap();
    let own = RuleChoice::Folder(folder.clone());
    let rules = own.rules().unwrap();
    assert_eq!(rules.files, built_in.files);
    assert_eq!(rules.contract, built_in.contract);
    assert_eq!(
        Path::new(&rules.place),
        folder.join("rules/reconciliation/v1.toml")
    );
    assert_eq!(own.stamp(), Some(Stamp::RulesOverride));
    // A note beside the rules is none of them.
    fs::write(folder.join("rules/readme.md"), "ours").unwrap();
    assert_eq!(own.rules().unwrap().files, built_in.files);

    let again = write(&folder).unwrap_err().to_string();
    assert!(
        again.contains("own: exists already and is left as it is"),
        "{again}"
    );
}

#[test]
fn a_folder_is_used_whole_and_what_it_lacks_is_named() {
    let (_dir, folder) = copy();
    let own = RuleChoice::Folder(folder.clone());
    for (kind, file) in NEEDED {
        let path = folder.join(kind).join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = refused(&own);
        let says = format!("{}: file: is missing, and no built-in rule", path.display());
        assert!(error.starts_with(&says), "{error}");
        assert!(error.contains("--write-rules"), "{error}");
        fs::write(&path, text).unwrap();
        own.rules().unwrap();
    }
    // Thresholds of a country that the folder does not have are those of all, not those of the binary.
    fs::remove_file(folder.join("thresholds/EG/v1.toml")).unwrap();
    let without = own.rules().unwrap();
    assert!(!without.files.contains_key("thresholds/EG/v1.toml"));
    let nowhere = refused(&RuleChoice::Folder(folder.join("nowhere")));
    assert!(
        nowhere.contains("nowhere: file: cannot be read"),
        "{nowhere}"
    );
}

#[test]
fn a_mistake_is_named_by_the_path_of_its_owner() {
    let (_dir, folder) = copy();
    let own = RuleChoice::Folder(folder.clone());
    for (place, from, to) in [
        ("thresholds/DEFAULT/v1.toml", "version = 1", "version = 0"),
        ("rules/reconciliation/v1.toml", "version = 1", "version = 0"),
        ("rules/vouchers/v1.toml", "version = 1", "version = 1 1"),
        ("rules/collections/v1.toml", "version = 1", "version = 1 1"),
    ] {
        let path = bend(&folder, place, from, to);
        let error = refused(&own);
        assert!(
            error.starts_with(&format!("{}: ", path.display())),
            "{error}"
        );
        bend(&folder, place, to, from);
        own.rules().unwrap();
    }
    for (place, says) in [
        ("rules/reconcilation/v1.toml", "is no rule; rules lie in"),
        ("rules/v2.toml", "is no rule; rules lie in"),
        ("thresholds/NG/v 1.toml", "a package cannot hold this name"),
        (
            "rules/vouchers/v2.toml",
            "1 is that of rules/vouchers/v1.toml too",
        ),
    ] {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(folder.join("rules/vouchers/v1.toml"), &path).unwrap();
        let error = refused(&own);
        assert!(
            error.starts_with(&format!("{}: ", path.display())),
            "{error}"
        );
        assert!(error.contains(says), "{error}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_contract_of_ones_own_is_named_by_its_path_and_stands_beside_the_built_in_rules() {
    let (_dir, folder) = copy();
    let path = folder.join("rules/reconciliation/v1.toml");
    let own = RuleChoice::Contract(path.clone());
    let rules = own.rules().unwrap();
    assert_eq!(Path::new(&rules.place), path);
    assert_eq!(rules.files.len(), 5);
    assert_eq!(own.stamp(), Some(Stamp::ContractOverride));
    bend(
        &folder,
        "rules/reconciliation/v1.toml",
        "version = 1",
        "version = 0",
    );
    let error = refused(&own);
    let says = format!("{}: version: 0", path.display());
    assert!(error.starts_with(&says), "{error}");
    let nowhere = refused(&RuleChoice::Contract("nowhere.toml".into()));
    assert!(
        nowhere.starts_with("nowhere.toml: file: cannot be read"),
        "{nowhere}"
    );
}
