//! The contract's file as people write it. What is wrong with its meaning is for [`super::lint`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::contract::{
    Assumption, Bridge, Company, Condition, Day, Effect, Line, MatchKeys, ReconciliationContract,
    Sign, Source, Term, Test, Value, ZeroRule,
};
use super::rate_source::RateSource;
use super::{Confirmation, RuleError};
use crate::domain::digest::sha256_hex;
use crate::domain::ids::IpeId;
use crate::domain::patterns::Patterns;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: u32,
    title: String,
    companies: BTreeMap<String, Company>,
    #[serde(default)]
    outside: Vec<String>,
    #[serde(default)]
    assumptions: Vec<FileAssumption>,
    actual: FileSource,
    rates: RateSource,
    line: Vec<FileLine>,
    #[serde(default)]
    bridge: Vec<FileBridge>,
    #[serde(default)]
    zero_check: Vec<ZeroRule>,
    #[serde(default)]
    uncovered: Vec<Uncovered>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    id: String,
    title: String,
    owner: Option<String>,
    gls: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    memo: bool,
    target: Vec<FileSource>,
    #[serde(default)]
    assumptions: Vec<FileAssumption>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSource {
    item: IpeId,
    company: String,
    gl: Option<String>,
    #[serde(default = "plus")]
    sign: i8,
    amount: Vec<Term>,
    #[serde(default)]
    only: Vec<FileCondition>,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    by_query: Vec<String>,
    #[serde(rename = "match")]
    matching: Option<MatchKeys>,
}

fn plus() -> i8 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCondition {
    column: String,
    is: Option<Vec<Value>>,
    meets: Option<Patterns>,
    at_least: Option<Day>,
    below: Option<Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBridge {
    id: String,
    title: String,
    line: Option<String>,
    effect: Effect,
    #[serde(default)]
    inputs: Vec<IpeId>,
    #[serde(default)]
    files: Vec<IpeId>,
    #[serde(default)]
    amounts: Vec<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    assumptions: Vec<FileAssumption>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Uncovered {
    gl: String,
    why: String,
}

/// A text that nobody has confirmed, or one with who did and when.
#[derive(Deserialize)]
#[serde(untagged)]
enum FileAssumption {
    Open(String),
    Confirmed(ConfirmedAssumption),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmedAssumption {
    text: String,
    confirmed_by: String,
    confirmed_on: NaiveDate,
}

impl TryFrom<String> for Term {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (column, negative) = match text.strip_prefix('-') {
            Some(column) => (column, true),
            None => (text.strip_prefix('+').unwrap_or(&text), false),
        };
        let column = column.trim();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if column.is_empty() || !column.chars().all(is_name) {
            return Err(format!(
                "`{text}` is no column: write its canonical name, with a minus before it where it is subtracted"
            ));
        }
        Ok(Self {
            column: column.to_owned(),
            negative,
        })
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        let sign = if term.negative { "-" } else { "" };
        format!("{sign}{}", term.column)
    }
}

/// Brings the file into the form that is computed with.
pub(super) fn read(file: &str, text: &str) -> Result<ReconciliationContract, RuleError> {
    let reader = Reader { file };
    let parsed: File = toml::from_str(text)
        .map_err(|error| reader.error("TOML", error.to_string().trim_end().to_owned()))?;
    let bridges = parsed.bridge.into_iter();
    let bridges = bridges.map(|bridge| reader.bridge(bridge));
    let bridges = bridges.collect::<Result<Vec<Bridge>, RuleError>>()?;
    let lines = parsed.line.into_iter();
    let lines = lines.map(|line| reader.line(line, &bridges));
    let mut uncovered = BTreeMap::new();
    for Uncovered { gl, why } in parsed.uncovered {
        if uncovered.insert(gl.clone(), why).is_some() {
            return Err(reader.twice("uncovered", &gl));
        }
    }
    Ok(ReconciliationContract {
        id: parsed.id,
        version: parsed.version,
        title: parsed.title,
        sha256: sha256_hex(text.as_bytes()),
        companies: parsed.companies,
        outside: reader.set("outside", parsed.outside)?,
        actual: reader.source("actual", parsed.actual)?,
        rates: parsed.rates,
        lines: lines.collect::<Result<_, _>>()?,
        bridges,
        zero_checks: parsed.zero_check,
        uncovered,
        assumptions: assumptions(parsed.assumptions),
    })
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn error(&self, place: &str, what: String) -> RuleError {
        RuleError {
            file: self.file.to_owned(),
            place: place.to_owned(),
            what,
        }
    }

    fn twice(&self, place: &str, name: &str) -> RuleError {
        self.error(place, format!("`{name}` stands twice; take one out"))
    }

    /// A list without a repetition, as a set.
    fn set(&self, place: &str, names: Vec<String>) -> Result<BTreeSet<String>, RuleError> {
        let mut found = BTreeSet::new();
        for name in names {
            if !found.insert(name.clone()) {
                return Err(self.twice(place, &name));
            }
        }
        Ok(found)
    }

    fn line(&self, line: FileLine, bridges: &[Bridge]) -> Result<Line, RuleError> {
        let own = bridges.iter().filter(|bridge| {
            bridge.effect == Effect::Explains && bridge.line.as_deref() == Some(&line.id)
        });
        let targets = line.target.into_iter();
        let targets = targets.map(|target| self.source(&line.id, target));
        Ok(Line {
            bridges: own.map(|bridge| bridge.id.clone()).collect(),
            targets: targets.collect::<Result<_, _>>()?,
            gls: self.set(&line.id, line.gls)?,
            without: self.set(&line.id, line.without)?,
            id: line.id,
            title: line.title,
            owner: line.owner,
            memo: line.memo,
            assumptions: assumptions(line.assumptions),
            note: line.note,
        })
    }

    fn source(&self, place: &str, source: FileSource) -> Result<Source, RuleError> {
        let sign = match source.sign {
            1 => Sign::Plus,
            -1 => Sign::Minus,
            0 => Sign::Unknown,
            other => {
                let what = format!("sign {other}; write 1 or -1, or 0 where nobody knows it");
                return Err(self.error(place, what));
            }
        };
        let only = source.only.into_iter();
        let only = only.map(|condition| self.condition(place, condition));
        Ok(Source {
            conditions: only.collect::<Result<_, _>>()?,
            key: self.set(place, source.key)?,
            item: source.item,
            company: source.company,
            gl: source.gl,
            sign,
            amount: source.amount,
            by_query: source.by_query,
            matching: source.matching,
        })
    }

    fn condition(&self, place: &str, condition: FileCondition) -> Result<Condition, RuleError> {
        let column = condition.column;
        let tests = [
            condition.is.map(Test::Is),
            condition.meets.map(Test::Meets),
            condition.at_least.map(Test::AtLeast),
            condition.below.map(Test::Below),
        ];
        let mut tests = tests.into_iter().flatten();
        match (tests.next(), tests.next()) {
            (Some(test), None) => Ok(Condition { column, test }),
            _ => {
                let what = format!(
                    "`{column}` needs one of `is`, `meets`, `at_least` and `below`; a second one is a condition of its own"
                );
                Err(self.error(place, what))
            }
        }
    }

    fn bridge(&self, bridge: FileBridge) -> Result<Bridge, RuleError> {
        Ok(Bridge {
            amounts: self.set(&bridge.id, bridge.amounts)?,
            id: bridge.id,
            title: bridge.title,
            line: bridge.line,
            effect: bridge.effect,
            inputs: bridge.inputs,
            files: bridge.files,
            note: bridge.note,
            assumptions: assumptions(bridge.assumptions),
        })
    }
}

fn assumptions(file: Vec<FileAssumption>) -> Vec<Assumption> {
    let all = file.into_iter().map(|one| match one {
        FileAssumption::Open(text) => Assumption {
            text,
            confirmed: None,
        },
        FileAssumption::Confirmed(one) => Assumption {
            text: one.text,
            confirmed: Some(Confirmation {
                by: one.confirmed_by,
                on: one.confirmed_on,
            }),
        },
    });
    all.collect()
}
