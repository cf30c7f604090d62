//! Statements about tables, with what BigQuery refuses: other partitions in place, and questions without columns.

use serde_json::{Value, json};

use super::Known;

/// How BigQuery refuses other partitions in place of a table.
const DIFFERS: &str = "Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate it.";

/// The name of the table behind the first backticks of a statement.
fn named(sql: &str) -> &str {
    sql.split('`').nth(1).unwrap().rsplit('.').next().unwrap()
}

fn has_columns(table: &Value) -> bool {
    let fields = table["schema"]["fields"].as_array();
    fields.is_some_and(|fields| !fields.is_empty())
}

impl Known {
    pub(super) fn put(&mut self, name: &str, mut table: Value) {
        self.made += 1;
        table["creationTime"] = json!((1_700_000_000_000 + self.made).to_string());
        if let Some(age) = self.expiration_ms
            && table["timePartitioning"].is_object()
        {
            table["timePartitioning"]["expirationMs"] = json!(age.to_string());
        }
        self.tables.insert(name.to_owned(), table);
    }

    /// What a statement is answered, `None` where a test has planned the answer.
    pub(super) fn answered(&mut self, sql: &str) -> Result<Option<Value>, String> {
        if sql.starts_with("CREATE") {
            self.create(sql)?;
        } else if sql.starts_with("ALTER") {
            let name = named(sql);
            let table = self.tables.get_mut(name).ok_or("Not found: Table")?;
            for end in ["partition_expiration_days", "expiration_timestamp"] {
                assert!(sql.contains(&format!("{end}=NULL")), "{sql}");
            }
            let fields = table.as_object_mut().unwrap();
            fields.remove("expirationTime");
            if let Some(by) = fields.get_mut("timePartitioning") {
                by.as_object_mut().unwrap().remove("expirationMs");
            }
        } else if sql.starts_with("SELECT COUNT(*) AS n FROM") {
            return self.rows_of(named(sql)).map(|rows| Some(counted(rows)));
        } else if sql.starts_with("WITH month AS") {
            return Ok(self.month_of(sql));
        }
        Ok(None)
    }

    fn create(&mut self, sql: &str) -> Result<(), String> {
        let name = named(sql).to_owned();
        if let Some(old) = self.tables.get(&name) {
            let is_replaced = sql.starts_with("CREATE OR REPLACE");
            let differs =
                old["timePartitioning"]["field"] != self.making["timePartitioning"]["field"];
            match (is_replaced, sql.starts_with("CREATE TABLE IF NOT EXISTS")) {
                (_, true) => return Ok(()),
                (true, _) if differs => return Err(DIFFERS.into()),
                (true, _) => {}
                (false, _) => return Err("Already Exists: Table".into()),
            }
        }
        let made = self.making.clone();
        self.put(&name, made);
        Ok(())
    }

    fn rows_of(&self, name: &str) -> Result<u64, String> {
        let table = self.tables.get(name).ok_or("Not found: Table")?;
        if !has_columns(table) {
            return Err(format!("Table {name} does not have a schema."));
        }
        let loaded = self.months.keys().filter(|month| {
            month
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('$'))
        });
        let rows = table["numRows"].as_str().unwrap_or("0");
        Ok(rows.parse::<u64>().unwrap() + u64::try_from(loaded.count()).unwrap())
    }

    /// What looks again, drops and creates: its error or null.
    pub(super) fn script(&mut self, script: &str) -> Value {
        let no = |message: &str| json!({"reason": "invalidQuery", "message": message});
        let (look, rest) = script.split_once("THEN").unwrap();
        let drop = rest.split_once("DROP TABLE").unwrap().1;
        let name = named(drop).to_owned();
        let is_filled = if look.contains("INFORMATION_SCHEMA.COLUMNS") {
            assert!(look.contains(&format!("table_name = '{name}'")), "{look}");
            Ok(self.tables.get(&name).is_some_and(has_columns))
        } else {
            self.rows_of(&name).map(|rows| rows > 0)
        };
        match is_filled {
            Err(message) => return no(&message),
            Ok(true) => return no("the table has rows by now"),
            Ok(false) => {}
        }
        if self.tables.remove(&name).is_none() {
            return no("Not found: Table");
        }
        self.dropped += 1;
        self.months
            .retain(|month, _| !month.starts_with(&format!("{name}$")));
        if std::mem::take(&mut self.is_halting) {
            return json!({"reason": "backendError", "message": "try again"});
        }
        match self.create(drop.split_once("CREATE").map_or("", |(_, rest)| rest)) {
            Ok(()) => Value::Null,
            Err(message) => no(&message),
        }
    }
}

fn counted(rows: u64) -> Value {
    json!({"jobComplete": true, "totalRows": "1", "rows": [{"f": [{"v": rows.to_string()}]}],
        "schema": {"fields": [{"name": "n", "type": "INTEGER"}]}})
}
