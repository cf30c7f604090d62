//! Tests of a text as rules write them: equals, begins with, contains, whatever the case of letters.

use serde::Deserialize;

/// A rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub String);

/// Texts of which one must be met.
///
/// # Shape
/// Kept in capitals. `equals` and `starts_with` look at the text without blanks around it, `contains` at all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// Whole texts.
    #[serde(default, deserialize_with = "capitals")]
    pub equals: Vec<String>,
    /// Beginnings.
    #[serde(default, deserialize_with = "capitals")]
    pub starts_with: Vec<String>,
    /// Parts.
    #[serde(default, deserialize_with = "capitals")]
    pub contains: Vec<String>,
}

/// A column and what its text must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextTest {
    /// Canonical column name.
    pub column: String,
    /// What its text must meet.
    pub is: Patterns,
}

fn capitals<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    Ok(texts.iter().map(|text| text.to_uppercase()).collect())
}

impl Patterns {
    /// Whether a text meets one of them.
    #[must_use]
    pub fn meet(&self, text: &str) -> bool {
        let whole = text.to_uppercase();
        let bare = whole.trim();
        self.equals.iter().any(|pattern| bare == pattern)
            || self.starts_with.iter().any(|p| bare.starts_with(p))
            || self.contains.iter().any(|p| whole.contains(p))
    }

    /// Whether every text that meets these meets `other` too, as far as the patterns alone show it.
    #[must_use]
    pub fn imply(&self, other: &Self) -> bool {
        let part = |text: &String| other.contains.iter().any(|p| text.contains(p));
        let begins = |text: &String| other.starts_with.iter().any(|p| text.starts_with(p));
        let begin_or_part = |text: &String| begins(text) || part(text);
        self.equals
            .iter()
            .all(|text| other.equals.contains(text) || begin_or_part(text))
            && self.starts_with.iter().all(begin_or_part)
            && self.contains.iter().all(part)
    }

    /// Refuses patterns that nothing or everything meets.
    ///
    /// # Errors
    /// [`PatternError`] names the place.
    pub fn check(&self, place: &str) -> Result<(), PatternError> {
        let all = || self.equals.iter().chain(&self.starts_with);
        let edges = all().any(|text| text.trim() != text);
        let empty = all().chain(&self.contains).any(String::is_empty);
        if all().chain(&self.contains).next().is_none() {
            return Err(PatternError(format!("{place} has no pattern")));
        }
        if empty || edges {
            let what = "has an empty pattern, or blanks around one that is compared without them";
            return Err(PatternError(format!("{place} {what}")));
        }
        Ok(())
    }
}

/// Whether rows that pass all of `later` pass all of `earlier`: then a rule with `later` behind it is never reached.
#[must_use]
pub fn shadowed(later: &[TextTest], earlier: &[TextTest]) -> bool {
    earlier.iter().all(|wide| {
        let mut narrow = later.iter().filter(|test| test.column == wide.column);
        narrow.any(|test| test.is.imply(&wide.is))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Patterns {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn texts_are_met_whatever_their_case() {
        let some =
            patterns("equals = ['Credit Memo']\nstarts_with = ['ng']\ncontains = ['RF ', 'Expr_']");
        for text in [
            " credit MEMO ",
            "NG-1",
            "  ng2",
            "x rf y",
            "exPR_1",
            "gift RF ",
        ] {
            assert!(some.meet(text), "{text}");
        }
        for text in ["credit memo 2", "a NG", "RF", "expr", ""] {
            assert!(!some.meet(text), "{text}");
        }
    }

    #[test]
    fn what_is_narrower_implies_what_is_wider() {
        let wide = patterns("starts_with = ['AB']\ncontains = ['X']");
        for narrow in [
            "equals = ['abc', 'ax']",
            "starts_with = ['abz', 'zx']",
            "contains = ['yxy']",
        ] {
            assert!(patterns(narrow).imply(&wide), "{narrow}");
        }
        for other in [
            "equals = ['ba']",
            "starts_with = ['a']",
            "contains = ['ab']",
        ] {
            assert!(!patterns(other).imply(&wide), "{other}");
        }
    }

    #[test]
    fn patterns_that_say_nothing_are_refused() {
        for bad in [
            "",
            "equals = ['']",
            "contains = ['']",
            "equals = [' a']",
            "starts_with = ['a ']",
        ] {
            assert!(patterns(bad).check("rule A").is_err(), "{bad}");
        }
        assert_eq!(patterns("contains = ['RF ']").check("rule A"), Ok(()));
        assert!(toml::from_str::<Patterns>("ends_with = ['a']").is_err());
    }
}
