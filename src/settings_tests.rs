use super::*;

#[test]
fn secrets_in_google_are_named_by_project_and_pinned_by_name() {
    let choice = "gcp:my-project".parse().unwrap();
    let place = |pins: &[(&str, u64)]| {
        let pins = pins
            .iter()
            .map(|(name, version)| ((*name).to_owned(), *version));
        SecretsChoice::Gcp(GcpSecretsPlace {
            project: "my-project".to_owned(),
            pins: pins.collect(),
        })
    };
    assert_eq!(place(&[]), choice);
    let choice = "gcp:my-project,DB_A=7,DB_B=12".parse().unwrap();
    assert_eq!(place(&[("DB_A", 7), ("DB_B", 12)]), choice);
    for wrong in [
        "gcp:",
        "gcp:a/b",
        "gcp:p,DB",
        "gcp:p,DB=latest",
        "gcp:p,DB=0",
        "gcp:p,=1",
        "gcp:p,A=1,A=2",
        "gcp:p,",
    ] {
        assert!(wrong.parse::<SecretsChoice>().is_err(), "{wrong}");
    }
}

#[test]
fn a_warehouse_is_a_folder_or_a_dataset_with_its_location() {
    let folder = |text: &str| WarehouseChoice::Local(text.to_owned());
    for text in ["out/warehouse", "file:///x", "C:/x?y"] {
        assert_eq!(text.parse(), Ok(folder(text)));
    }
    let dataset = WarehouseChoice::BigQuery(BigQueryPlace {
        project: "p-1".to_owned(),
        dataset: "jumia_sox_reconciliation".to_owned(),
        location: "EU".to_owned(),
    });
    assert_eq!(
        "bigquery://p-1/jumia_sox_reconciliation?location=EU".parse(),
        Ok(dataset)
    );
    for wrong in [
        "p/d",
        "p/d?location=",
        "p?location=EU",
        "p/d.t?location=EU",
        "p/d?loc=EU",
        "/d?location=EU",
        "p/d?location=EU&x=1",
    ] {
        let text = format!("bigquery://{wrong}");
        let error = text.parse::<WarehouseChoice>().unwrap_err();
        assert!(error.contains("?location=EU"), "{error}");
    }
}

#[test]
fn credentials_are_the_machine_or_a_key() {
    assert_eq!("metadata".parse(), Ok(GoogleCredentials::Metadata));
    assert_eq!("secret".parse(), Ok(GoogleCredentials::Secret));
    assert_eq!(
        "file:k.json".parse(),
        Ok(GoogleCredentials::File("k.json".into()))
    );
    for wrong in ["file:", "k.json", "secret:x", ""] {
        assert!(wrong.parse::<GoogleCredentials>().is_err(), "{wrong}");
    }
}
