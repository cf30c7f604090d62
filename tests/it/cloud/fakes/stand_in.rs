//! The BigQuery stand-in (PyPI local-bigquery) as the engine behind the fake: what it does not know is done here.
//!
//! It knows no partition decorators, and its WRITE_TRUNCATE makes every column nullable. So files go into a table of
//! their own, are looked at as BigQuery would, and replace the month in one transaction. A BIGNUMERIC without a
//! fraction is NUMERIC to it, of 29 digits at most, so what it says of a table is put right by the statement that made it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::bigquery::{DATASET, PROJECT};

/// Where it is asked and its process, which ends with the last clone.
#[derive(Clone)]
pub(crate) struct Engine {
    http: reqwest::Client,
    base: String,
    buckets: PathBuf,
    _process: Arc<Process>,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

impl Engine {
    /// Starts it over files of `buckets`: `gs://b/x` is the file `b/x`.
    pub(crate) async fn start(dir: &Path) -> Self {
        let program = std::env::var_os("SOXAUTO_TEST_BIGQUERY")
            .map(PathBuf::from)
            .expect("SOXAUTO_TEST_BIGQUERY must name local-bigquery; scripts/test installs it");
        let port = free_port();
        let buckets = dir.join("buckets");
        std::fs::create_dir_all(&buckets).unwrap();
        let child = Command::new(program)
            .args([
                "--host",
                "127.0.0.1",
                "--port",
                &port,
                "--grpc-port",
                &free_port(),
                "--data-dir",
            ])
            .arg(dir.join("data"))
            .env("GCS_LOCAL_ROOT", &buckets)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let engine = Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            base: format!("http://127.0.0.1:{port}/bigquery/v2/projects"),
            buckets,
            _process: Arc::new(Process(child)),
        };
        for _ in 0..600 {
            let ready = engine.http.get(&engine.base).send().await;
            if ready.is_ok_and(|reply| reply.status().is_success()) {
                return engine;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the stand-in did not start within a minute");
    }

    /// The folder in which it finds `gs://b/x` as `b/x`.
    pub(crate) fn buckets(&self) -> PathBuf {
        self.buckets.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{PROJECT}/{path}", self.base)
    }

    async fn passed_on(sent: Result<reqwest::Response, reqwest::Error>) -> Response {
        let reply = sent.unwrap();
        let status = StatusCode::from_u16(reply.status().as_u16()).unwrap();
        let body: Value = reply.json().await.unwrap();
        (status, axum::Json(body)).into_response()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        Self::passed_on(self.http.get(self.url(path)).send().await).await
    }

    /// A table, with the types that were asked for.
    pub(crate) async fn table(&self, dataset: &str, name: &str, statements: &[String]) -> Response {
        let path = format!("datasets/{dataset}/tables/{name}");
        let mut table = match self.said(&path, None).await {
            Ok(table) => table,
            Err(_) => return self.get(&path).await,
        };
        let made = statements.iter().filter(|sql| sql.contains(name));
        let made = made.cloned().collect::<String>();
        let fields = table.pointer_mut("/schema/fields").unwrap();
        for field in fields.as_array_mut().unwrap() {
            let column = field["name"].as_str().unwrap();
            if made.contains(&format!("`{column}` BIGNUMERIC(")) {
                field["type"] = json!("BIGNUMERIC");
            }
        }
        axum::Json(table).into_response()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        Self::passed_on(self.http.post(self.url(path)).json(body).send().await).await
    }

    async fn said(&self, path: &str, body: Option<&Value>) -> Result<Value, Value> {
        let sent = match body {
            Some(body) => self.http.post(self.url(path)).json(body).send().await,
            None => self.http.get(self.url(path)).send().await,
        };
        let reply = sent.unwrap();
        let is_good = reply.status().is_success();
        let body: Value = reply.json().await.unwrap();
        if is_good {
            Ok(body)
        } else {
            Err(json!({"reason": "invalid", "message": body["error"]["message"]}))
        }
    }

    /// Runs a statement; gives its rows as texts.
    pub(crate) async fn run(&self, sql: &str) -> Result<Vec<Vec<Value>>, Value> {
        let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 60_000});
        let said = self.said("queries", Some(&body)).await?;
        assert_eq!(said["jobComplete"], true, "{sql}");
        let rows = said["rows"].as_array().cloned().unwrap_or_default();
        let cells = |row: &Value| {
            let cells = row["f"].as_array().unwrap();
            cells.iter().map(|cell| cell["v"].clone()).collect()
        };
        Ok(rows.iter().map(cells).collect())
    }

    /// What BigQuery makes of a load job over one partition: its error or null, and its statistics.
    pub(crate) async fn load(&self, id: &str, load: &Value) -> (Value, Value) {
        match self.replace(id, load).await {
            Ok(statistics) => (Value::Null, statistics),
            Err(error) => (error, Value::Null),
        }
    }

    async fn replace(&self, id: &str, load: &Value) -> Result<Value, Value> {
        let invalid = |message: String| json!({"reason": "invalid", "message": message});
        let partition = load["destinationTable"]["tableId"].as_str().unwrap();
        let (table, month) = partition
            .split_once('$')
            .expect("a partition is replaced, never a table");
        assert!(
            load["schema"].is_null() && load["writeDisposition"] == "WRITE_TRUNCATE",
            "{load}"
        );
        let target = self
            .said(&format!("datasets/{DATASET}/tables/{table}"), None)
            .await?;
        let fields = target["schema"]["fields"].as_array().unwrap().clone();
        let is_big = fields.iter().any(|field| field["type"] == "BIGNUMERIC");
        if is_big && load["decimalTargetTypes"] != json!(["NUMERIC", "BIGNUMERIC"]) {
            return Err(invalid("a decimal does not fit NUMERIC".into()));
        }
        let aside = format!("aside_{id}");
        let statistics = self.load_aside(&aside, load).await?;
        let (from, to) = (
            format!("`{DATASET}.{aside}`"),
            format!("`{DATASET}.{table}`"),
        );
        let first = format!("DATE '{}-{}-01'", &month[..4], &month[4..]);
        let inside =
            format!("`_period` >= {first} AND `_period` < DATE_ADD({first}, INTERVAL 1 MONTH)");
        let outside = self
            .run(&format!("SELECT COUNT(*) FROM {from} WHERE NOT ({inside})"))
            .await?;
        if outside[0][0] != "0" {
            return Err(invalid("some rows belong to different partitions".into()));
        }
        let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
        for field in fields.iter().filter(|field| field["mode"] == "REQUIRED") {
            let sql = format!(
                "SELECT COUNT(*) FROM {from} WHERE `{}` IS NULL",
                name(field)
            );
            if self.run(&sql).await?[0][0] != "0" {
                return Err(invalid(format!("required field {} is null", name(field))));
            }
        }
        let names: Vec<String> = fields
            .iter()
            .map(|field| format!("`{}`", name(field)))
            .collect();
        let names = names.join(", ");
        self.run(&format!(
            "BEGIN TRANSACTION; DELETE FROM {to} WHERE {inside}; INSERT INTO {to} ({names}) SELECT {names} FROM {from}; COMMIT TRANSACTION"
        ))
        .await?;
        self.run(&format!("DROP TABLE {from}")).await?;
        Ok(statistics)
    }

    /// Loads the files into a table of their own and waits for it.
    async fn load_aside(&self, aside: &str, load: &Value) -> Result<Value, Value> {
        let job = json!({
            "jobReference": {"projectId": PROJECT, "jobId": aside},
            "configuration": {"load": {
                "sourceUris": load["sourceUris"], "sourceFormat": load["sourceFormat"],
                "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": aside},
                "createDisposition": "CREATE_IF_NEEDED", "writeDisposition": "WRITE_TRUNCATE",
            }},
        });
        self.said("jobs", Some(&job)).await?;
        for _ in 0..600 {
            let said = self.said(&format!("jobs/{aside}"), None).await?;
            if said["status"]["state"] == "DONE" {
                let error = said["status"]["errorResult"].clone();
                return if error.is_null() {
                    Ok(said["statistics"]["load"].clone())
                } else {
                    Err(error)
                };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the stand-in did not end a load within a minute");
    }
}
