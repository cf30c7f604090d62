//! Parameters and placeholders: what the block declares, what the statement uses, what the period can give.

use crate::domain::lexer::Kind;
use crate::domain::query::{Block, PARAMETERS, QueryError, param_name};
use crate::domain::sql_type::SqlType;

use super::{Report, Sql};

/// Byte offset of the beginning of a line, from 1.
pub(super) fn line_start(text: &str, line: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    before.map(str::len).sum()
}

/// The block itself; `has` names the parameters that the query has beside those of the period.
pub(super) fn block(block: &Block, has: &dyn Fn(&str) -> bool, report: &mut Report<'_>) {
    for error in &block.errors {
        if let QueryError::Block { line, what } = error {
            let offset = line_start(report.text, *line);
            let remedy =
                "begin the file with `-- params`, one DECLARE a line, `-- end`, then one SELECT";
            report.at("params-block", offset, what.clone(), remedy);
        }
    }
    let known = PARAMETERS.map(|name| format!("@{name}")).join(", ");
    for param in block.params.iter().filter(|param| !has(&param.name)) {
        let offset = line_start(report.text, param.line);
        if !PARAMETERS.contains(&param.name.as_str()) {
            report.at(
                "param-unknown",
                offset,
                format!("@{} is not a parameter that the period gives", param.name),
                format!("use one of {known}"),
            );
        } else if param.sql_type != SqlType::Date {
            report.at(
                "param-type",
                offset,
                format!("@{} is declared {}", param.name, param.sql_type),
                format!("declare it date: DECLARE @{} date = …", param.name),
            );
        }
    }
}

/// What the statement uses.
pub(super) fn check(sql: &Sql<'_>, report: &mut Report<'_>) {
    let declared = |name: &str| sql.block.params.iter().any(|param| param.name == name);
    let mut used = Vec::new();
    for token in &sql.tokens {
        match token.kind {
            Kind::Param => {
                let name = param_name(token.text);
                if !declared(&name) {
                    report.at(
                        "param-undeclared",
                        token.start,
                        format!("@{name} is used but not declared"),
                        format!("add `DECLARE @{name} date = '2024-05-01';` to the params block"),
                    );
                }
                used.push(name);
            }
            Kind::Marker => report.at(
                "placeholder",
                token.start,
                format!("`{}` is a placeholder of another system", token.text),
                "declare a parameter in the params block and use it by name; write modulo with blanks, `a % b`",
            ),
            _ => {}
        }
    }
    for param in &sql.block.params {
        if !used.contains(&param.name) {
            let offset = line_start(report.text, param.line);
            report.at(
                "param-unused",
                offset,
                format!("@{} is declared but never used", param.name),
                "remove the line, or use the parameter",
            );
        }
    }
}
