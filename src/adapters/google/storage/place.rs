//! Where a root lies: bucket and prefix of a location, and the names that are taken.
//!
//! Pure functions; asks nothing.

use object_store::path::Path;

use crate::ports::{PortError, PortErrorKind};

use super::SCHEME;

/// Bucket and prefix of a location.
pub(super) fn place(location: &str) -> Result<(String, String), PortError> {
    let refused = |why: &str| {
        let hint = "write gs://bucket or gs://bucket/prefix";
        PortError::new(PortErrorKind::Config, format!("`{location}`: {why}")).hint(hint)
    };
    let rest = location
        .strip_prefix(SCHEME)
        .ok_or_else(|| refused("not a place in Cloud Storage"))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if bucket.is_empty() || !bucket.chars().all(fits) {
        return Err(refused("a bucket has small letters, digits, `-`, `_`, `.`"));
    }
    let prefix = prefix.trim_end_matches('/');
    if !prefix.is_empty() && (!is_plain(prefix) || Path::parse(prefix).is_err()) {
        return Err(refused(
            "a prefix has ASCII letters and marks, and no empty part",
        ));
    }
    Ok((bucket.to_owned(), prefix.to_owned()))
}

/// Whether every program gives the name the same bytes and the same URI.
pub(super) fn is_plain(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_graphic() && !"#?%*[]\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_with_a_prefix_of_plain_letters() {
        let pair = |bucket: &str, prefix: &str| (bucket.to_owned(), prefix.to_owned());
        assert_eq!(place("gs://b-1.x_y").unwrap(), pair("b-1.x_y", ""));
        assert_eq!(place("gs://b/").unwrap(), pair("b", ""));
        assert_eq!(
            place("gs://b/p/period=1/").unwrap(),
            pair("b", "p/period=1")
        );
        for wrong in [
            "gs://",
            "gs:///p",
            "gs://B",
            "gs://b/ż",
            "gs://b/a b",
            "gs://b/a//b",
            "gs://b/../c",
            "gs://b/a?x",
            "gs://b:80/x",
            "s3://b",
        ] {
            let error = place(wrong).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Config, "{wrong}");
            assert!(error.to_string().contains("gs://bucket/prefix"), "{error}");
        }
    }
}
