//! Words that have no place in an extract: clocks, dice, hints, other statements, temporary tables.

use crate::domain::lexer::{Kind, Token};

use super::{Report, Sql};

/// Words of one rule.
struct Rule {
    name: &'static str,
    words: &'static [&'static str],
    /// Refused only in front of an opening bracket: elsewhere the word is a name like any other.
    called: bool,
    why: &'static str,
    remedy: &'static str,
}

const RULES: [Rule; 7] = [
    Rule {
        name: "clock",
        words: &[
            "GETDATE",
            "GETUTCDATE",
            "SYSDATETIME",
            "SYSUTCDATETIME",
            "SYSDATETIMEOFFSET",
        ],
        called: true,
        why: "reads the clock: tomorrow the same month gives other rows",
        remedy: "compare with @start, @year_start, @next_start or @period_end",
    },
    Rule {
        name: "clock",
        words: &["CURRENT_TIMESTAMP", "CURRENT_DATE"],
        called: false,
        why: "reads the clock: tomorrow the same month gives other rows",
        remedy: "compare with @start, @year_start, @next_start or @period_end",
    },
    Rule {
        name: "random",
        words: &[
            "NEWID",
            "NEWSEQUENTIALID",
            "RAND",
            "CRYPT_GEN_RANDOM",
            "TABLESAMPLE",
        ],
        called: true,
        why: "draws at random: the same month gives other rows each time",
        remedy: "select by a condition on the data",
    },
    Rule {
        name: "hint",
        words: &[
            "NOLOCK",
            "READUNCOMMITTED",
            "READPAST",
            "READCOMMITTED",
            "READCOMMITTEDLOCK",
            "REPEATABLEREAD",
            "SERIALIZABLE",
            "HOLDLOCK",
            "UPDLOCK",
            "XLOCK",
            "TABLOCK",
            "TABLOCKX",
        ],
        called: false,
        why: "overrides the isolation of the one view that rows and totals share",
        remedy: "remove the hint; the program reads in SNAPSHOT or brackets the rows with totals",
    },
    Rule {
        name: "session",
        words: &[
            "SET",
            "USE",
            "DECLARE",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVE",
            "IF",
            "WHILE",
            "RETURN",
            "PRINT",
            "WAITFOR",
            "RAISERROR",
            "THROW",
            "GOTO",
            "DBCC",
            "KILL",
            "SHUTDOWN",
            "CHECKPOINT",
            "RECONFIGURE",
        ],
        called: false,
        why: "changes the session or runs beside the one SELECT",
        remedy: "remove it; name tables by [database].[schema].[table], parameters belong into the params block",
    },
    Rule {
        name: "write",
        words: &[
            "INSERT",
            "UPDATE",
            "DELETE",
            "MERGE",
            "INTO",
            "EXEC",
            "EXECUTE",
            "TRUNCATE",
            "CREATE",
            "ALTER",
            "DROP",
            "GRANT",
            "REVOKE",
            "DENY",
            "BULK",
            "BACKUP",
            "RESTORE",
            "WRITETEXT",
            "UPDATETEXT",
        ],
        called: false,
        why: "writes or runs other code; an extract only reads",
        remedy: "remove it, or put a column of that name in brackets",
    },
    Rule {
        name: "write",
        words: &["OPENQUERY", "OPENROWSET", "OPENDATASOURCE"],
        called: true,
        why: "sends a text to another server, outside the one view",
        remedy: "read a table of the databases that the item names",
    },
];

/// Applies the rules to every bare word.
pub(super) fn check(sql: &Sql<'_>, report: &mut Report<'_>) {
    let tokens = &sql.tokens;
    for (i, token) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| tokens.get(i));
        let next = tokens.get(i + 1);
        temporary(token, before, report);
        sequence(tokens.get(i..).unwrap_or_default(), report);
        batch_end(token, report);
        // A qualified name is a column, whatever it is called.
        if before.is_some_and(|before| before.is_mark(".")) {
            continue;
        }
        let opens = next.is_some_and(|next| next.is_mark("("));
        let of = |rule: &&Rule| token.is_any(rule.words) && (!rule.called || opens);
        // `INNER MERGE JOIN` is a way to join.
        let joins = token.is("MERGE") && next.is_some_and(|next| next.is("JOIN"));
        if let Some(rule) = RULES.iter().find(of).filter(|_| !joins) {
            let what = format!("{} {}", token.text.to_ascii_uppercase(), rule.why);
            report.at(rule.name, token.start, what, rule.remedy);
        }
    }
}

/// `#t` and `##t`, in brackets too where a table is named.
fn temporary(token: &Token<'_>, before: Option<&Token<'_>>, report: &mut Report<'_>) {
    let bracketed = || {
        let table = before.is_some_and(|before| before.is_any(&["FROM", "JOIN", "APPLY", "INTO"]));
        token.kind == Kind::Name && table
    };
    let temporary = (token.kind == Kind::Word || bracketed())
        && token.name().is_some_and(|name| name.starts_with('#'));
    if temporary {
        report.at(
            "temp-table",
            token.start,
            format!("{} is a temporary table", token.text),
            "write it as a derived table in the FROM clause",
        );
    }
}

/// `NEXT VALUE FOR` moves a sequence on.
fn sequence(rest: &[Token<'_>], report: &mut Report<'_>) {
    if let [next, value, target, ..] = rest
        && next.is("NEXT")
        && value.is("VALUE")
        && target.is("FOR")
    {
        let remedy = "remove it; number rows with ROW_NUMBER() OVER (ORDER BY the key)";
        report.at(
            "write",
            next.start,
            "NEXT VALUE FOR moves a sequence on",
            remedy,
        );
    }
}

/// `GO` alone on its line: a word of SSMS, not of the server.
fn batch_end(token: &Token<'_>, report: &mut Report<'_>) {
    if !token.is("GO") {
        return;
    }
    let text = report.text;
    let before = text.get(..token.start).unwrap_or_default();
    let after = text.get(token.end()..).unwrap_or_default();
    let line_of = |part: Option<&str>| part.unwrap_or_default().trim().is_empty();
    if line_of(before.rsplit('\n').next()) && line_of(after.split('\n').next()) {
        let remedy = "remove it; the file holds one SELECT";
        report.at(
            "session",
            token.start,
            "GO ends a batch in SSMS and is unknown to the server",
            remedy,
        );
    }
}
