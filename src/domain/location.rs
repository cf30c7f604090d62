//! Where Google Cloud keeps and computes, and whether BigQuery loads from one place into another.
//!
//! Judges by what BigQuery documents of load jobs. What is not documented, and what is not known here, stays open.

use std::fmt;

/// A location of Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Name in small letters, such as `eu` or `europe-west1`.
    name: String,
    /// Regions that it is made of; none of a multi-region, or of a place that is not known here.
    regions: Vec<String>,
}

/// Whether BigQuery loads from a bucket into a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Loads,
    /// It does, from a place outside of that of the dataset.
    LoadsFromAfar,
    /// It does not.
    Refused,
    /// It is not documented.
    Open,
}

/// Pairs of regions that have a name of their own.
const PAIRS: [(&str, [&str; 2]); 6] = [
    ("asia1", ["asia-northeast1", "asia-northeast2"]),
    ("eur4", ["europe-north1", "europe-west4"]),
    ("eur5", ["europe-west1", "europe-west2"]),
    ("eur7", ["europe-west2", "europe-west3"]),
    ("eur8", ["europe-west3", "europe-west6"]),
    ("nam4", ["us-central1", "us-east1"]),
];

/// Regions of Europe in no member state of the Union: London and Zurich.
const OUTSIDE_EU: [&str; 2] = ["europe-west2", "europe-west6"];

impl Location {
    /// The location of that name; `pair` are the regions of a pair that somebody chose, which is named after its continent.
    #[must_use]
    pub fn new(name: &str, pair: &[String]) -> Self {
        let name = name.to_ascii_lowercase();
        let known = PAIRS.iter().find(|(pair, _)| *pair == name);
        let regions: Vec<String> = match known {
            _ if !pair.is_empty() => pair.iter().map(|one| one.to_ascii_lowercase()).collect(),
            Some((_, regions)) => regions.map(str::to_owned).into(),
            None if is_region(&name) => vec![name.clone()],
            None => Vec::new(),
        };
        Self { name, regions }
    }

    /// Whether BigQuery loads from a bucket here into a dataset there.
    #[must_use]
    pub fn loads_into(&self, dataset: &Self) -> Fit {
        match (dataset.name.as_str(), dataset.regions.as_slice()) {
            (name, _) if name == self.name => Fit::Loads,
            ("us", _) if self.is_of(|region| region.starts_with("us-")) => Fit::Loads,
            // The one dataset that is loaded from everywhere.
            ("us", _) => Fit::LoadsFromAfar,
            ("eu", _) if self.is_of(is_in_eu) => Fit::Loads,
            (_, [region]) if !self.regions.is_empty() && !self.regions.contains(region) => {
                Fit::Refused
            }
            _ if self.is_on_another_continent(dataset) => Fit::Refused,
            _ => Fit::Open,
        }
    }

    /// Whether both are known to lie on different continents.
    #[must_use]
    pub fn is_on_another_continent(&self, other: &Self) -> bool {
        match (self.continent(), other.continent()) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    fn is_of(&self, fits: impl Fn(&str) -> bool) -> bool {
        !self.regions.is_empty() && self.regions.iter().all(|region| fits(region))
    }

    fn continent(&self) -> Option<&'static str> {
        continent(self.regions.first().unwrap_or(&self.name))
    }
}

/// The continent by the first word of a name, as Google names its regions and multi-regions.
fn continent(name: &str) -> Option<&'static str> {
    Some(match name.split('-').next()? {
        "us" | "northamerica" => "North America",
        "southamerica" => "South America",
        "eu" | "europe" => "Europe",
        "asia" => "Asia",
        "me" => "Middle East",
        "africa" => "Africa",
        "australia" => "Australia",
        _ => return None,
    })
}

/// Whether a name is that of one region: a continent, a place on it, and a number.
fn is_region(name: &str) -> bool {
    let ends_well = name.ends_with(|c: char| c.is_ascii_digit());
    name.matches('-').count() == 1 && ends_well && continent(name).is_some()
}

fn is_in_eu(region: &str) -> bool {
    region.starts_with("europe-") && !OUTSIDE_EU.contains(&region)
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.regions.as_slice() {
            [one] if *one == self.name => write!(f, "{one}"),
            [] => write!(f, "{}", self.name.to_ascii_uppercase()),
            pair => write!(
                f,
                "{} ({})",
                self.name.to_ascii_uppercase(),
                pair.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> Location {
        Location::new(name, &[])
    }

    fn chosen(name: &str, pair: [&str; 2]) -> Location {
        Location::new(name, &pair.map(str::to_owned))
    }

    #[test]
    fn a_multi_region_is_loaded_from_itself_and_from_what_lies_in_it() {
        for good in ["EU", "eu", "EUROPE-WEST1", "europe-north1", "EUR4"] {
            assert_eq!(at(good).loads_into(&at("EU")), Fit::Loads, "{good}");
        }
        let pair = chosen("EU", ["EUROPE-WEST1", "EUROPE-WEST4"]);
        assert_eq!(pair.loads_into(&at("EU")), Fit::Loads);
        for other in [
            "US",
            "us-east1",
            "NAM4",
            "ASIA",
            "me-west1",
            "africa-south1",
        ] {
            assert_eq!(at(other).loads_into(&at("EU")), Fit::Refused, "{other}");
        }
        // Europe, and not the Union; a name that is not known here.
        for open in ["europe-west2", "EUR5", "europe-west6", "x-y1", "", "mars"] {
            assert_eq!(at(open).loads_into(&at("EU")), Fit::Open, "{open}");
        }
    }

    #[test]
    fn the_us_is_loaded_from_everywhere_and_a_region_from_itself_only() {
        for near in ["US", "us-central1", "NAM4"] {
            assert_eq!(at(near).loads_into(&at("us")), Fit::Loads, "{near}");
        }
        for far in ["EU", "europe-west1", "northamerica-northeast1", "mars"] {
            assert_eq!(at(far).loads_into(&at("US")), Fit::LoadsFromAfar, "{far}");
        }
        let region = at("europe-west1");
        assert_eq!(at("EUROPE-WEST1").loads_into(&region), Fit::Loads);
        for other in ["europe-west4", "us-east1", "EUR4", "US", "ASIA", "asia1"] {
            assert_eq!(at(other).loads_into(&region), Fit::Refused, "{other}");
        }
        // What contains it: documented as not enough in one place, and not forbidden in another.
        let pair = chosen("EU", ["EUROPE-WEST1", "EUROPE-WEST4"]);
        for open in [at("EU"), at("EUR5"), pair, at("europe-west1-b"), at("mars")] {
            assert_eq!(open.loads_into(&region), Fit::Open, "{open}");
        }
        let pair = chosen("EU", ["EUROPE-WEST3", "EUROPE-WEST4"]);
        assert_eq!(pair.loads_into(&region), Fit::Refused);
        assert_eq!(at("EU").loads_into(&at("aws-us-east-1")), Fit::Open);
    }

    #[test]
    fn continents_are_told_apart_where_they_are_known() {
        let apart = |one: &str, other: &str| at(one).is_on_another_continent(&at(other));
        assert!(apart("europe-west1", "US") && apart("asia1", "EUR4"));
        assert!(!apart("europe-west1", "EU") && !apart("us-east1", "northamerica-northeast1"));
        assert!(!apart("europe-west1", "mars"), "not known");
    }

    #[test]
    fn a_location_is_written_as_google_writes_it() {
        assert_eq!(at("EUROPE-WEST1").to_string(), "europe-west1");
        assert_eq!(at("eu").to_string(), "EU");
        let pair = chosen("EU", ["EUROPE-WEST1", "EUROPE-WEST4"]);
        assert_eq!(pair.to_string(), "EU (europe-west1, europe-west4)");
        assert_eq!(at("nam4").to_string(), "NAM4 (us-central1, us-east1)");
    }
}
