//! Folders of files as they are found at people's desks.

mod stored;

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use std::fs::File;
use std::path::PathBuf;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self::new();
        for (name, bytes) in files {
            fs::write(folder.path(name), bytes).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn read(&self) -> Result<Vec<Table>, FileError> {
        read(self.0.path())
    }

    fn refused(&self) -> String {
        self.read()
            .expect_err("the folder cannot be served")
            .to_string()
    }
}

const SCHEMA: &str = r#"
[csv]
delimiter = ";"
[[columns]]
name = "No_"
type = "int"
nullable = false
[[columns]]
name = "Amount (LCY)"
type = "decimal(9,2)"
[[columns]]
name = "Text"
type = "nvarchar(10)"
"#;

const ROWS: &str = "No_;Amount (LCY);Text\r\n1;-12.50;\"a;\"\"b\"\"\"\r\n2;;\"\"\r\n3;7;\r\n";

fn served(schema: &str, rows: &[u8]) -> Folder {
    Folder::with(&[("db/dbo/T.csv", rows), ("db/dbo/T.toml", schema.as_bytes())])
}

fn types(table: &Table) -> Vec<String> {
    let all = table.columns.iter();
    all.map(|c| {
        let null = if c.nullable { "" } else { " not null" };
        format!("{} {}{null}", c.name, c.sql_type)
    })
    .collect()
}

fn amounts(table: &Table) -> Vec<Option<i128>> {
    let batches = table.batches.iter();
    let columns = batches.map(|b| b.column(1).as_primitive::<Decimal128Type>().clone());
    columns.flat_map(|c| c.iter().collect::<Vec<_>>()).collect()
}

#[test]
fn a_csv_file_becomes_a_table_with_nulls_and_empty_texts_apart() {
    let tables = served(SCHEMA, ROWS.as_bytes()).read().unwrap();
    let [table] = tables.as_slice() else {
        panic!("one table")
    };
    assert_eq!(table.name, ["db", "dbo", "T"]);
    assert_eq!(
        types(table),
        [
            "No_ int not null",
            "Amount (LCY) decimal(9,2)",
            "Text nvarchar(10)"
        ]
    );
    assert_eq!(amounts(table), [Some(-1250), None, Some(700)]);
    let texts = table.batches[0].column(2).as_string::<i32>();
    assert_eq!(
        texts.iter().collect::<Vec<_>>(),
        [Some("a;\"b\""), Some(""), None]
    );
}

#[test]
fn files_and_forms_of_every_kind_give_the_same_rows() {
    let expected = served(SCHEMA, ROWS.as_bytes()).read().unwrap();
    let form = |line: &str| SCHEMA.replace("delimiter = \";\"", line);
    let utf16: Vec<u8> = ROWS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (schema, rows) in [
        (form("delimiter = \";\"\nencoding = \"utf-16\""), utf16),
        (
            form("delimiter = \";\"\nencoding = \"windows-1252\""),
            ROWS.into(),
        ),
        (
            form("delimiter = \"\\t\""),
            ROWS.replace("a;", "a¤")
                .replace(';', "\t")
                .replace('¤', ";")
                .into(),
        ),
        (
            form("delimiter = \";\"\nheader = false"),
            ROWS.split_once("\r\n").unwrap().1.into(),
        ),
        (
            SCHEMA.to_owned(),
            ROWS.replace("\r\n", "\n").trim_end().into(),
        ),
        (
            form("delimiter = \";\"\nnull = \"NULL\""),
            ROWS.replace(";;\"\"", ";NULL;")
                .replace(";7;", ";7;NULL")
                .into(),
        ),
    ] {
        let tables = served(&schema, &rows).read().unwrap();
        assert_eq!(tables[0].batches, expected[0].batches, "{schema}");
    }
}

#[test]
fn many_rows_are_cut_into_batches() {
    let rows: String = (0..20_000).map(|n| format!("{n};{n}.25;x\n")).collect();
    let folder = served(SCHEMA, format!("No_;Amount (LCY);Text\n{rows}").as_bytes());
    let table = folder.read().unwrap().remove(0);
    assert_eq!((table.rows(), table.batches.len()), (20_000, 3));
    assert_eq!(amounts(&table)[19_999], Some(1_999_925));
}

#[test]
fn a_bad_csv_file_is_one_error_with_line_column_and_remedy() {
    let head = "No_;Amount (LCY);Text\n";
    for (rows, parts) in [
        (
            "1;1.005;x\n",
            &[
                "T.csv: line 2: column `Amount (LCY)`: has 3 fraction digits",
                "declare more",
            ][..],
        ),
        (
            "1;1;x\n2;1;\"never\n\n",
            &["line 3: a quote is opened and never closed"],
        ),
        (
            "1;1;\"a\"b\n",
            &["line 2: text follows a closing quote", "quotes = false"],
        ),
        (
            "1;1;x\n\n2;1;y\n",
            &["line 3: 1 fields, where 3 columns are declared"],
        ),
        ("1;1;x;\n", &["line 2: 4 fields"]),
        (
            "1;1;\"two\nlines\"\n;1;x\n",
            &["line 4: column `No_`: null", "nullable = true"],
        ),
        (
            "1;1;eleven char\n",
            &["column `Text`: has 11 characters, too many for nvarchar(10)"],
        ),
    ] {
        let said = served(SCHEMA, format!("{head}{rows}").as_bytes()).refused();
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    for (rows, part) in [
        (&b""[..], "the file is empty"),
        (
            b"No_;Text;Amount (LCY)\n",
            "column `Amount (LCY)`: is declared as column 2, where the file has `Text`",
        ),
        (b"No_;Amount (LCY)\n", "where the file has ``"),
        (
            b"No_;Amount (LCY);Text;More\n",
            "column `More`: is not declared",
        ),
        (
            b"No_;Amount (LCY);Text\n1;1;Caf\xE9\n",
            "line 2: a byte is not UTF-8",
        ),
        (b"\xFF\xFEN\0", "say encoding = \"utf-16\""),
    ] {
        let said = served(SCHEMA, rows).refused();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_bad_schema_file_is_one_error_with_the_remedy() {
    for (from, to, part) in [
        (
            "type = \"int\"",
            "typ = \"int\"",
            "T.toml: TOML parse error at line 6",
        ),
        (
            "decimal(9,2)",
            "decimal(39,2)",
            "not a SQL Server type with valid parameters",
        ),
        (
            "decimal(9,2)",
            "xml",
            "column `Amount (LCY)`: the sandbox does not hold the type xml; declare another",
        ),
        ("\"Text\"", "\"NO_\"", "column `NO_`: is declared twice"),
        ("\";\"", "\"\\\"\"", "the delimiter cannot be a quote"),
        ("\";\"", "\";;\"", "TOML parse error at line 3"),
        (
            "[csv]",
            "[csv]\nencoding = \"latin-9\"",
            "unknown variant `latin-9`",
        ),
    ] {
        let said = served(&SCHEMA.replacen(from, to, 1), ROWS.as_bytes()).refused();
        assert!(said.contains(part), "{said}");
    }
    assert!(
        served("columns = []", b"")
            .refused()
            .contains("columns is empty")
    );
    let said = Folder::with(&[("db/dbo/T.csv", b"a\n")]).refused();
    assert!(
        said.contains("never guessed; declare its columns in ") && said.contains("[[columns]]"),
        "{said}"
    );
}

#[test]
fn a_folder_that_is_not_laid_out_as_asked_is_refused_by_name() {
    let csv = ROWS.as_bytes();
    for (files, part) in [
        (&[("readme.md", csv)][..], "holds no table"),
        (
            &[("T.csv", csv)],
            "T.csv: lies too high; a table is <database>/<schema>/<table>.csv",
        ),
        (&[("db/T.csv", csv)], "T.csv: lies too high"),
        (&[("db/dbo/more/T.csv", csv)], "more: a folder among tables"),
        (
            &[("db/dbo/T.xlsx", csv)],
            "T.xlsx: is no .csv, .parquet or .toml; convert",
        ),
        (
            &[("db/dbo/T.toml", csv)],
            "T.toml: describes a table that has no",
        ),
        (
            &[("db/dbo/T.csv", csv), ("db/dbo/T.parquet", csv)],
            "is the same table as",
        ),
        (
            &[("db/dbo/T.csv", csv), ("DB/dbo/t.csv", csv)],
            "is the same table as",
        ),
        (&[("master/dbo/T.csv", csv)], "keeps the database `master`"),
        (&[("db/sys/T.csv", csv)], "keeps this schema"),
        (
            &[("db/dbo/T.parquet", csv)],
            "T.parquet: cannot be read as Parquet",
        ),
    ] {
        let said = Folder::with(files).refused();
        assert!(said.contains(part), "{said}");
    }
    let absent = read(Path::new("/nowhere/at/all")).unwrap_err().to_string();
    assert!(
        absent.starts_with("/nowhere/at/all: cannot be read"),
        "{absent}"
    );
}

#[test]
fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let folder = served(SCHEMA, b"");
    let file = File::create(folder.path("db/dbo/T.csv")).unwrap();
    file.set_len(FILE_BYTES_MAX + 1).unwrap();
    assert!(folder.refused().contains("serve a part of it"));
}
