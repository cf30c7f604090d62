//! The trace that a request belongs to, so that every log line that it causes is found beside it.
//!
//! What a caller writes is taken only in its own form; anything else is no trace, and never an error.

use axum::http::HeaderMap;

/// Hexadecimal digits of a trace, in both headers.
const TRACE_DIGITS: usize = 32;
/// Hexadecimal digits of a span in `traceparent`, and as Cloud Logging wants them.
const SPAN_DIGITS: usize = 16;

/// A trace, in the form that Cloud Logging links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// `projects/PROJECT/traces/ID`, or the bare ID where no project is known.
    pub(super) name: String,
    /// The caller's span in the trace.
    pub(super) span_id: Option<String>,
}

impl Trace {
    /// Google's own header, else the one of the W3C.
    pub(super) fn of(headers: &HeaderMap, project: Option<&str>) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (id, span_id) = text("x-cloud-trace-context")
            .and_then(of_google)
            .or_else(|| text("traceparent").and_then(of_w3c))?;
        let name = match project {
            Some(project) => format!("projects/{project}/traces/{id}"),
            None => id,
        };
        Some(Self { name, span_id })
    }
}

/// Reads `TRACE/SPAN;o=FLAGS`, of which all but the trace may be missing. The span is a decimal number.
fn of_google(text: &str) -> Option<(String, Option<String>)> {
    let named = text.split(';').next().unwrap_or_default();
    let (id, span) = match named.split_once('/') {
        Some((id, span)) => (id, span.parse::<u64>().ok().filter(|span| *span > 0)),
        None => (named, None),
    };
    let id = id.to_ascii_lowercase();
    is_id(&id, TRACE_DIGITS).then(|| (id, span.map(|span| format!("{span:016x}"))))
}

/// Reads `VERSION-TRACE-SPAN-FLAGS`; a version after the first may say more behind that.
fn of_w3c(text: &str) -> Option<(String, Option<String>)> {
    let mut parts = text.trim().split('-');
    let version = parts
        .next()
        .filter(|part| is_hex(part, 2) && *part != "ff")?;
    let id = parts.next().filter(|part| is_id(part, TRACE_DIGITS))?;
    let span = parts.next().filter(|part| is_id(part, SPAN_DIGITS))?;
    parts.next().filter(|flags| is_hex(flags, 2))?;
    if version == "00" && parts.next().is_some() {
        return None;
    }
    Some((id.to_owned(), Some(span.to_owned())))
}

/// Zeros alone name nothing.
fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.chars().any(|c| c != '0')
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn of(headers: &[(&'static str, &str)], project: Option<&str>) -> Option<Trace> {
        let headers = headers
            .iter()
            .map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap()));
        Trace::of(&headers.collect(), project)
    }

    fn trace(name: &str, span_id: Option<&str>) -> Option<Trace> {
        Some(Trace {
            name: name.to_owned(),
            span_id: span_id.map(str::to_owned),
        })
    }

    #[test]
    fn both_headers_are_read_and_googles_own_comes_first() {
        let named = format!("projects/p/traces/{ID}");
        let google = format!("{ID}/161;o=1");
        let w3c = format!("00-{}-00f067aa0ba902b7-01", ID.replace('0', "9"));
        let linked = trace(&named, Some("00000000000000a1"));
        let both = [
            ("traceparent", w3c.as_str()),
            ("x-cloud-trace-context", &google),
        ];
        assert_eq!(of(&both, Some("p")), linked);
        assert_eq!(
            of(&both[..1], None),
            trace(&ID.replace('0', "9"), Some("00f067aa0ba902b7"))
        );
        for bare in [
            ID.to_owned(),
            ID.to_uppercase(),
            format!("{ID}/0;o=1"),
            format!("{ID}/x"),
        ] {
            let found = of(&[("x-cloud-trace-context", bare.as_str())], Some("p"));
            assert_eq!(found, trace(&named, None), "{bare}");
        }
        // One that cannot be read does not hide the other.
        let both = [("x-cloud-trace-context", "x"), both[0]];
        assert!(of(&both, None).is_some());
    }

    #[test]
    fn what_has_not_the_form_is_no_trace() {
        for other in [
            "",
            "x",
            "0123",
            &"g".repeat(32),
            &"0".repeat(32),
            &format!("{ID}0"),
        ] {
            assert_eq!(
                of(&[("x-cloud-trace-context", other)], Some("p")),
                None,
                "{other}"
            );
        }
        let span = "00f067aa0ba902b7";
        for other in [
            String::new(),
            format!("00-{ID}-{span}"),
            format!("00-{ID}-{span}-01-more"),
            format!("ff-{ID}-{span}-01"),
            format!("00-{}-{span}-01", ID.to_uppercase()),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{ID}-{span}-zz"),
        ] {
            assert_eq!(
                of(&[("traceparent", other.as_str())], Some("p")),
                None,
                "{other}"
            );
        }
        let later = format!("01-{ID}-{span}-01-more");
        assert!(of(&[("traceparent", later.as_str())], None).is_some());
    }
}
