//! What the instructions promise, on their own; `tests/clients/check_answer_key.py` holds the tables to it.

use std::collections::BTreeSet;

use super::instructions::Measure;
use super::*;
use crate::sandbox::data::generate;

const SPEC: LedgerSpec = LedgerSpec { rows: 40, seed: 1 };

fn key(profile: PlantProfile, without: &[&str]) -> SqlResult<AnswerKey> {
    let without = without.iter().map(|id| (*id).to_owned()).collect();
    plant(
        &mut generate(SPEC).unwrap(),
        SPEC,
        &Planting { profile, without },
    )
}

#[test]
fn buckets_are_disjoint_and_every_id_of_the_control_is_accounted_for() {
    let effects = plants().flat_map(|plant| plant.effects);
    let moved = effects.filter(|effect| {
        matches!(effect.measure, Measure::Variance | Measure::Line) && effect.amount != 0
    });
    let buckets: Vec<(&str, &str)> = moved.map(|effect| (effect.company, effect.at)).collect();
    assert_eq!(buckets.iter().collect::<BTreeSet<_>>().len(), buckets.len());

    let numbered = |letter: &str, last: u32| {
        (1..=last)
            .map(move |n| format!("{letter}{n:02}"))
            .collect::<Vec<_>>()
    };
    let wanted = [
        numbered("F", 14),
        numbered("E", 2),
        numbered("H", 2),
        numbered("N", 7),
    ]
    .concat();
    for profile in [PlantProfile::Clean, PlantProfile::Recon, PlantProfile::Hold] {
        let key = key(profile, &[]).unwrap();
        let named: BTreeSet<&str> = key
            .planted()
            .chain(key.not_planted.iter().map(|not| not.id))
            .collect();
        assert_eq!(
            named.into_iter().collect::<BTreeSet<_>>(),
            wanted.iter().map(String::as_str).collect()
        );
        assert_eq!(
            key.planted.len() + key.not_planted.len(),
            wanted.len(),
            "none twice"
        );
        assert_eq!(key.planted.is_empty(), profile == PlantProfile::Clean);
    }
}

#[test]
fn what_is_left_out_is_said_and_what_does_not_exist_is_refused() {
    let without = key(PlantProfile::Recon, &["F03"]).unwrap();
    let why = |id: &str| {
        without
            .not_planted
            .iter()
            .find(|not| not.id == id)
            .unwrap()
            .why
            .clone()
    };
    assert_eq!(why("F03"), "left out on request");
    assert_eq!(why("H01"), "belongs to the profile hold");
    for (profile, id) in [(PlantProfile::Recon, "H01"), (PlantProfile::Clean, "F01")] {
        let error = key(profile, &[id]).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{profile} has no plant `{id}`")),
            "{error}"
        );
    }
}

#[test]
fn equal_seeds_give_equal_keys_and_amounts_are_exact() {
    let one = key(PlantProfile::Recon, &[]).unwrap();
    assert_eq!(one, key(PlantProfile::Recon, &[]).unwrap());
    let text = one.to_json().unwrap();
    for amount in [
        "\"1650000.00\"",
        "\"129999.99\"",
        "\"0.00000000000000000001\"",
        "\"-20000.00\"",
    ] {
        assert!(text.contains(amount), "{amount} in {text}");
    }
    assert_eq!(exact(0).unwrap(), "0.00");
    assert_eq!(exact(cents(1) / 10).unwrap(), "0.001");
}
