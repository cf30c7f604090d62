//! `soxauto sql`: the query, and the forms of its answer.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write};

use serde_json::Value;

use crate::analysts;
use crate::ports::{AnswerColumn, AnswerRow, AnswerTo, RowSink, ValueKind};

use super::look_args::{Format, SqlArgs};
use super::output;

/// Rows that are shown as a table.
const TABLE_ROWS_MAX: usize = 1_000;

/// Bytes of a query that is read from stdin.
const QUERY_BYTES_MAX: u64 = 1 << 20;

/// Answers a query.
pub(super) async fn sql(args: SqlArgs) -> anyhow::Result<u8> {
    let SqlArgs {
        query,
        format,
        output,
        roots,
    } = args;
    let query = if query == "-" { from_stdin()? } else { query };
    let writer: Box<dyn Write + Send> = match &output {
        Some(path) => Box::new(File::create_new(path).map_err(|error| {
            let hint = "name a file that is not there yet, in a folder that is";
            anyhow::anyhow!("--output {}: {error}\nhint: {hint}", path.display())
        })?),
        None if format == Format::Parquet && io::stdout().is_terminal() => {
            anyhow::bail!("a Parquet file is no text for a terminal\nhint: add --output FILE")
        }
        None => Box::new(io::stdout()),
    };
    let answered = analysts::sql(&roots.into(), &query, form(format, writer)).await;
    if let (Err(_), Some(path)) = (&answered, &output) {
        // Half an answer must not be taken for one; if it cannot be removed the error below still says it all.
        fs::remove_file(path).ok();
    }
    answered?;
    io::stdout().flush()?;
    Ok(0)
}

fn from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    let mut stdin = io::stdin().lock().take(QUERY_BYTES_MAX + 1);
    stdin.read_to_string(&mut text)?;
    if u64::try_from(text.len())? > QUERY_BYTES_MAX {
        anyhow::bail!("the query on stdin has more than {QUERY_BYTES_MAX} bytes");
    }
    Ok(text)
}

fn form(format: Format, writer: Box<dyn Write + Send>) -> AnswerTo {
    let writer = match format {
        Format::Parquet => return AnswerTo::Parquet(writer),
        _ => BufWriter::new(writer),
    };
    AnswerTo::Rows(match format {
        Format::Csv => Box::new(Csv(writer)),
        Format::Json => Box::new(Json {
            writer,
            columns: Vec::new(),
            first: true,
        }),
        _ => Box::new(Table {
            writer,
            rows: Vec::new(),
            right: Vec::new(),
        }),
    })
}

type Out = BufWriter<Box<dyn Write + Send>>;

/// Names the columns whose values are not exact.
fn warn_of_floats(columns: &[AnswerColumn]) {
    let floats = columns
        .iter()
        .filter(|column| column.kind == ValueKind::Float);
    let floats: Vec<&str> = floats.map(|column| column.name.as_str()).collect();
    if !floats.is_empty() {
        output::tell(&format!(
            "note: floats, not exact: {}; CAST(… AS DECIMAL(38, n)) keeps amounts exact",
            output::harmless(&floats.join(", "))
        ));
    }
}

/// A reader that has gone away wants no more rows; that is no error.
fn gone(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

struct Csv(Out);

impl Csv {
    fn line<'a>(&mut self, cells: impl Iterator<Item = Option<&'a str>>) -> io::Result<()> {
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                self.0.write_all(b",")?;
            }
            let Some(cell) = cell else { continue };
            if cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
                write!(self.0, "\"{}\"", cell.replace('"', "\"\""))?;
            } else {
                self.0.write_all(cell.as_bytes())?;
            }
        }
        self.0.write_all(b"\r\n")
    }
}

impl RowSink for Csv {
    fn begin(&mut self, columns: &[AnswerColumn]) -> io::Result<()> {
        warn_of_floats(columns);
        let names = columns.iter().map(|column| Some(column.name.as_str()));
        gone(self.line(names)).map(drop)
    }

    fn rows(&mut self, rows: Vec<AnswerRow>) -> io::Result<bool> {
        let mut lines = rows.iter();
        gone(lines.try_for_each(|row| self.line(row.iter().map(Option::as_deref))))
    }

    fn end(&mut self) -> io::Result<()> {
        gone(self.0.flush()).map(drop)
    }
}

struct Json {
    writer: Out,
    columns: Vec<AnswerColumn>,
    first: bool,
}

impl Json {
    /// Keys stay in the order of the columns.
    fn object(&mut self, row: AnswerRow) -> io::Result<()> {
        self.writer
            .write_all(if self.first { b"{" } else { b",\n{" })?;
        self.first = false;
        for (place, (column, cell)) in self.columns.iter().zip(row).enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let name = Value::from(column.name.as_str());
            let value = json_value(column.kind, cell);
            write!(self.writer, "{comma}{name}:{value}")?;
        }
        self.writer.write_all(b"}")
    }
}

/// Whole numbers of 64 bits, floats and truth as themselves; all else as text.
fn json_value(kind: ValueKind, cell: Option<String>) -> Value {
    let Some(cell) = cell else { return Value::Null };
    let parsed = match kind {
        ValueKind::Integer => cell.parse::<i64>().ok().map(Value::from),
        ValueKind::Float => cell
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number),
        ValueKind::Bool => cell.parse::<bool>().ok().map(Value::from),
        ValueKind::Decimal | ValueKind::Text => None,
    };
    parsed.unwrap_or(Value::String(cell))
}

impl RowSink for Json {
    fn begin(&mut self, columns: &[AnswerColumn]) -> io::Result<()> {
        warn_of_floats(columns);
        self.columns = columns.to_vec();
        gone(self.writer.write_all(b"[\n")).map(drop)
    }

    fn rows(&mut self, rows: Vec<AnswerRow>) -> io::Result<bool> {
        gone(rows.into_iter().try_for_each(|row| self.object(row)))
    }

    fn end(&mut self) -> io::Result<()> {
        let last = if self.first { "]\n" } else { "\n]\n" };
        gone(self.writer.write_all(last.as_bytes()))?;
        gone(self.writer.flush()).map(drop)
    }
}

struct Table {
    writer: Out,
    rows: Vec<Vec<String>>,
    /// Columns of numbers.
    right: Vec<usize>,
}

impl RowSink for Table {
    fn begin(&mut self, columns: &[AnswerColumn]) -> io::Result<()> {
        warn_of_floats(columns);
        let is_number = |kind| {
            matches!(
                kind,
                ValueKind::Integer | ValueKind::Decimal | ValueKind::Float
            )
        };
        let places = columns.iter().enumerate();
        let numbers = places.filter(|(_, column)| is_number(column.kind));
        self.right = numbers.map(|(place, _)| place).collect();
        let names = columns.iter().map(|column| output::harmless(&column.name));
        self.rows.push(names.collect());
        Ok(())
    }

    fn rows(&mut self, rows: Vec<AnswerRow>) -> io::Result<bool> {
        let room = (TABLE_ROWS_MAX + 1).saturating_sub(self.rows.len());
        let more = rows.len() > room;
        let shown = |cell: &Option<String>| {
            cell.as_deref()
                .map_or_else(|| "null".to_owned(), output::harmless)
        };
        let rows = rows.iter().take(room);
        self.rows
            .extend(rows.map(|row| row.iter().map(shown).collect()));
        if more {
            output::tell(&format!(
                "note: the first {TABLE_ROWS_MAX} rows; --format csv, json or parquet gives all"
            ));
        }
        Ok(!more)
    }

    fn end(&mut self) -> io::Result<()> {
        let table = output::columns(&self.rows, &self.right);
        gone(writeln!(self.writer, "{table}"))?;
        gone(self.writer.flush()).map(drop)
    }
}
