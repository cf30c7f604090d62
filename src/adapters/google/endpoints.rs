//! Where Google's services are. Each place can be replaced: by a private endpoint, or by a stand-in in tests.
//!
//! Never lets a token travel in plain text: `http:` is taken for this machine and for the metadata server only.

use url::{Host, Url};

use crate::ports::{PortError, PortErrorKind};

/// Names of the services, as they are written in settings.
const NAMES: &str = "storage, bigquery, secretmanager, drive, run, metadata, oauth, iamcredentials";

/// Base URLs of the services, without a path that belongs to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Cloud Storage.
    pub storage: Url,
    /// BigQuery.
    pub bigquery: Url,
    /// Secret Manager.
    pub secretmanager: Url,
    /// Drive.
    pub drive: Url,
    /// Cloud Run.
    pub run: Url,
    /// The metadata server of the machine that runs.
    pub metadata: Url,
    /// Where a key or a login is exchanged for a token; `None` is where its file says.
    pub oauth: Option<Url>,
    /// Where a token of another service account is asked for; `None` is where the file of the credentials says.
    pub iamcredentials: Option<Url>,
}

impl Endpoints {
    /// Google's own places, except those that are replaced, as pairs of service and URL.
    ///
    /// # Errors
    /// `Config` for a service that is not known, and for a URL that is none or would carry tokens in plain text.
    pub fn replaced(replacements: &[(String, String)]) -> Result<Self, PortError> {
        let own = |url| parsed(url, url);
        let mut endpoints = Self {
            storage: own("https://storage.googleapis.com")?,
            bigquery: own("https://bigquery.googleapis.com")?,
            secretmanager: own("https://secretmanager.googleapis.com")?,
            drive: own("https://www.googleapis.com")?,
            run: own("https://run.googleapis.com")?,
            metadata: own("http://metadata.google.internal")?,
            oauth: None,
            iamcredentials: None,
        };
        for (service, url) in replacements {
            let place = parsed(service, url)?;
            match service.as_str() {
                "storage" => endpoints.storage = place,
                "bigquery" => endpoints.bigquery = place,
                "secretmanager" => endpoints.secretmanager = place,
                "drive" => endpoints.drive = place,
                "run" => endpoints.run = place,
                "metadata" => endpoints.metadata = place,
                "oauth" => endpoints.oauth = Some(place),
                "iamcredentials" => endpoints.iamcredentials = Some(place),
                _ => return Err(refused(service, "no service of that name is known here")),
            }
        }
        Ok(endpoints)
    }
}

/// Whether a place is Google's own, as its certificate proves: encrypted, and a name below `googleapis.com`.
#[must_use]
pub fn is_googles(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let name = url.host_str().unwrap_or_default();
        url.scheme() == "https" && name.ends_with(".googleapis.com")
    })
}

/// A URL below a base, with each segment escaped.
///
/// # Errors
/// `Config` for a base that can have no path.
pub fn below(base: &Url, segments: &[&str]) -> Result<Url, PortError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| refused(base.as_str(), "the URL can have no path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// Reads a URL to which a token or a key's signature may be sent. `what` names it in the error.
///
/// # Errors
/// `Config` for text that is no URL, and for one that would carry secrets in plain text over a network.
pub fn parsed(what: &str, text: &str) -> Result<Url, PortError> {
    let url = Url::parse(text).map_err(|error| refused(what, &error.to_string()))?;
    let is_safe = may_carry_tokens(&url);
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.password().is_none();
    match (is_safe, is_bare) {
        (true, true) => Ok(url),
        (false, _) => Err(refused(what, "tokens travel over https: only")),
        (true, false) => Err(refused(what, "an endpoint has no query and no password")),
    }
}

/// Reads a URL out of a file of credentials, to which what is secret in them is sent: a place of Google's own, whoever
/// wrote the file. `field` names it in the error, which does not quote it.
///
/// # Errors
/// `Config` for every other place.
pub fn googles(field: &str, text: &str) -> Result<Url, PortError> {
    let url = parsed(field, text).ok();
    url.filter(|url| is_googles(url.as_str())).ok_or_else(|| {
        let what = format!("`{field}` of the credentials is no place of Google");
        PortError::new(PortErrorKind::Config, what).hint(
            "nothing was sent there: take the file as gcloud wrote it, or name another place by --google-endpoint",
        )
    })
}

/// Whether a token may be sent there: encrypted, or not over a network that others use.
#[must_use]
pub fn may_carry_tokens(url: &Url) -> bool {
    let is_near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.octets() == METADATA_ADDRESS,
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => matches!(name, "localhost" | "metadata.google.internal"),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_near)
}

/// Address of the metadata server, the same on every machine of Google Cloud.
const METADATA_ADDRESS: [u8; 4] = [169, 254, 169, 254];

fn refused(what: &str, why: &str) -> PortError {
    PortError::new(PortErrorKind::Config, format!("endpoint `{what}`: {why}")).hint(format!(
        "write NAME=https://host, where NAME is one of {NAMES}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(service: &str, url: &str) -> Result<Endpoints, PortError> {
        Endpoints::replaced(&[(service.to_owned(), url.to_owned())])
    }

    #[test]
    fn each_service_can_be_replaced_and_the_others_stay() {
        let own = Endpoints::replaced(&[]).unwrap();
        assert_eq!(own.storage.as_str(), "https://storage.googleapis.com/");
        for name in NAMES.split(", ") {
            let other = with(name, "https://private.example").unwrap();
            assert_ne!(other, own, "{name}");
        }
        let drive = with("drive", "http://127.0.0.1:99/d").unwrap();
        assert_eq!(drive.drive.as_str(), "http://127.0.0.1:99/d");
        assert_eq!(drive.storage, own.storage);
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for near in [
            "http://[::1]:1",
            "http://localhost",
            "http://169.254.169.254",
        ] {
            assert!(with("storage", near).is_ok(), "{near}");
        }
        for (service, url) in [
            ("storage", "http://storage.googleapis.com"),
            ("storage", "http://127.0.0.1.example.com"),
            ("metadata", "ftp://127.0.0.1"),
            ("bigquery", "https://u:p@host"),
            ("bigquery", "https://host/?key=1"),
            ("bigquery", "host"),
            ("queue", "https://host"),
        ] {
            let error = with(service, url).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Config, "{url}");
            assert!(error.to_string().contains(service), "{error}");
        }
    }

    #[test]
    fn a_private_place_of_google_is_googles_and_a_name_like_it_is_not() {
        for own in [
            "https://storage.googleapis.com",
            "https://private.googleapis.com:443/x",
            "https://BIGQUERY-psc.p.googleapis.com",
        ] {
            assert!(is_googles(own), "{own}");
        }
        for other in [
            "http://storage.googleapis.com",
            "https://googleapis.com",
            "https://evilgoogleapis.com",
            "https://storage.googleapis.com.example",
            "https://storage.googleapis.com@example.com",
            "https://example.com/.googleapis.com",
            "http://127.0.0.1:9",
            "host",
        ] {
            assert!(!is_googles(other), "{other}");
        }
    }

    #[test]
    fn a_file_of_credentials_sends_its_secrets_to_google_only() {
        let url = googles("token_uri", "https://oauth2.googleapis.com/token").unwrap();
        assert_eq!(url.host_str(), Some("oauth2.googleapis.com"));
        for other in [
            "https://oauth2.example.com/SENTINEL",
            "https://oauth2.googleapis.com.example/SENTINEL",
            "https://u:SENTINEL@oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com/token?to=SENTINEL",
            "http://oauth2.googleapis.com/SENTINEL",
            "http://127.0.0.1/SENTINEL",
            "SENTINEL",
        ] {
            let error = googles("token_uri", other).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Config, "{other}");
            let said = error.to_string();
            assert!(said.contains("`token_uri`"), "{said}");
            assert!(!said.contains("SENTINEL"), "{said}");
        }
    }

    #[test]
    fn segments_are_escaped() {
        let base = Url::parse("https://host/base/").unwrap();
        let url = below(&base, &["a/b", "c?d", "latest:access"]).unwrap();
        assert_eq!(url.as_str(), "https://host/base/a%2Fb/c%3Fd/latest:access");
    }
}
