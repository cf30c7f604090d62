//! What Google's interfaces do not take: names that they do not know, in a question, in a header or in a document. And
//! replies with what was asked for, and nothing else.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::error;

/// A request that is wrong as it stands.
pub(crate) fn bad(message: &str) -> Response {
    error(400, "badRequest", message)
}

/// Names and values of a question; each is known, and is there once.
pub(crate) fn asked(
    query: Option<&str>,
    known: &[&str],
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned();
    for (name, value) in pairs {
        if !known.contains(&name.as_str()) {
            return Err(format!(
                "Unknown name \"{name}\": Cannot bind query parameter."
            ));
        }
        if found.insert(name.clone(), value).is_some() {
            return Err(format!("{name} is given twice."));
        }
    }
    Ok(found)
}

/// Names in a document that are not known.
pub(crate) fn unknown(document: &Value, known: &[&str]) -> Option<String> {
    let Some(fields) = document.as_object() else {
        return Some(format!("no object: {document}"));
    };
    let name = fields.keys().find(|name| !known.contains(&name.as_str()))?;
    Some(format!(
        "Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
    ))
}

/// A header that begins so and is not known.
pub(crate) fn unknown_header(headers: &HeaderMap, begin: &str, known: &[&str]) -> Option<String> {
    let mut names = headers.keys().map(|name| name.as_str());
    let name = names.find(|name| name.starts_with(begin) && !known.contains(name))?;
    Some(format!("header {name}"))
}

/// What of a document was asked for, by names such as `kind,items(name,size)`.
pub(crate) fn partial(document: &Value, fields: &str) -> Value {
    match document {
        Value::Array(all) => all.iter().map(|one| partial(one, fields)).collect(),
        Value::Object(all) => {
            let kept = parts(fields).into_iter().filter_map(|part| {
                let (name, inner) = match part.split_once('(') {
                    Some((name, rest)) => (name, rest.strip_suffix(')')),
                    None => (part, None),
                };
                let value = all.get(name)?;
                let value = inner.map_or_else(|| value.clone(), |inner| partial(value, inner));
                Some((name.to_owned(), value))
            });
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

/// The parts between those commas that stand in no bracket.
fn parts(fields: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let is_end = move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    fields.split(is_end).collect()
}

#[test]
fn what_is_not_known_is_refused_and_what_was_not_asked_for_is_left_out() {
    use serde_json::json;
    assert!(asked(Some("a=1&b=2"), &["a", "b"]).is_ok() && asked(None, &[]).is_ok());
    for wrong in ["a=1&c=2", "a=1&a=2"] {
        assert!(asked(Some(wrong), &["a", "b"]).is_err(), "{wrong}");
    }
    assert_eq!(unknown(&json!({"a": 1}), &["a"]), None);
    assert!(unknown(&json!({"b": 1}), &["a"]).unwrap().contains("\"b\""));
    assert!(unknown(&json!([]), &["a"]).is_some());
    let all = json!({"kind": "k", "items": [{"name": "n", "size": "1"}], "next": "x"});
    assert_eq!(
        partial(&all, "kind,items(name),absent"),
        json!({"kind": "k", "items": [{"name": "n"}]})
    );
}
