//! The log of each month in the evidence root: `months/period=YYYY-MM/000001.json` and so on, created once each.
//!
//! A record names the one before it by its hash. A log with a gap or a changed record is an error, never a shorter log.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::domain::digest::sha256_hex;
use crate::domain::period::Period;
use crate::domain::reconcile::months::{MonthEvent, MonthLog, MonthRecord};
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Tries to be the next record; each that fails had another one before it.
const ATTEMPTS_MAX: u32 = 8;

/// Folder of all logs below the evidence root.
pub const FOLDER: &str = "months";

fn folder(period: Period) -> String {
    format!("{FOLDER}/period={period}")
}

fn path(period: Period, number: u32) -> String {
    format!("{}/{number:06}.json", folder(period))
}

/// The log of a month; empty where nothing happened yet.
///
/// # Errors
/// `Corrupt` for a log with a gap, a record that cannot be read, or one that is not what the next one says; storage errors.
pub async fn read(evidence: &StoreRoot, period: Period) -> Result<MonthLog, PortError> {
    Ok(chain(evidence, period).await?.0)
}

/// The log as it was when it had so many records, and the hash of the last of these; `None` takes all that are there.
///
/// # Errors
/// As [`read`].
pub async fn read_first(
    evidence: &StoreRoot,
    period: Period,
    records: Option<usize>,
) -> Result<(MonthLog, Option<String>), PortError> {
    let (mut log, mut last) = chain(evidence, period).await?;
    if let Some(records) = records {
        if let Some(next) = log.records.get(records) {
            last = next.after.clone();
        }
        log.records.truncate(records);
    }
    Ok((log, last))
}

/// The log and the hash of its last record.
async fn chain(
    evidence: &StoreRoot,
    period: Period,
) -> Result<(MonthLog, Option<String>), PortError> {
    let stored = evidence.list(&folder(period)).await?;
    let mut paths: Vec<String> = stored.into_iter().map(|file| file.path).collect();
    paths.sort();
    let mut log = MonthLog::default();
    let mut last = None;
    for (file, number) in paths.iter().zip(1..) {
        let broken = |what: &str| {
            PortError::new(PortErrorKind::Corrupt, format!("the month's log {what}"))
                .at("record", evidence.uri_of(file))
                .hint("restore the records of the month; none may be changed or taken out")
        };
        if *file != path(period, number) {
            return Err(broken(&format!("lacks record {number}")));
        }
        let bytes = evidence.get(file).await?;
        let record: MonthRecord = serde_json::from_slice(&bytes)
            .map_err(|error| broken(&format!("holds a record that cannot be read: {error}")))?;
        if record.number != number || record.after != last {
            return Err(broken(
                "was changed: a record does not follow the one before it",
            ));
        }
        last = Some(sha256_hex(&bytes));
        log.records.push(record);
    }
    Ok((log, last))
}

/// Appends an event, unless the log refuses it; gives the log with it. `account` is the one at Google that writes it.
///
/// # Errors
/// `Denied` with the reason when the log refuses it, or others keep writing; as [`read`]; storage errors.
pub async fn append(
    evidence: &StoreRoot,
    period: Period,
    event: MonthEvent,
    at: DateTime<Utc>,
    account: Option<&str>,
) -> Result<MonthLog, PortError> {
    for _ in 0..ATTEMPTS_MAX {
        let (mut log, last) = chain(evidence, period).await?;
        if let Some(why) = log.refuses(&event) {
            return Err(PortError::new(PortErrorKind::Denied, why).at("month", period.to_string()));
        }
        let number = u32::try_from(log.records.len()).unwrap_or(u32::MAX);
        let record = MonthRecord {
            number: number.saturating_add(1),
            after: last,
            at,
            account: account.map(str::to_owned),
            event: event.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&record)
            .map_err(|error| PortError::new(PortErrorKind::Corrupt, error.to_string()))?;
        let path = path(period, record.number);
        match evidence.create(&path, Bytes::from(bytes)).await {
            Ok(()) => {
                log.records.push(record);
                return Ok(log);
            }
            // Another record was faster; the next round sees it.
            Err(error) if error.kind == PortErrorKind::Corrupt => {}
            Err(error) => return Err(error),
        }
    }
    let what = format!("others keep writing to the log of {period}");
    Err(PortError::new(PortErrorKind::Denied, what).hint("try again"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::domain::ids::RunId;

    fn root() -> StoreRoot {
        StoreRoot {
            store: Arc::new(InMemory::new()),
            uri: "memory://evidence".to_owned(),
        }
    }

    fn event(number: u32) -> MonthEvent {
        MonthEvent::Closed {
            run_id: RunId::new(DateTime::UNIX_EPOCH, number),
            manifest_sha256: "0".repeat(64),
            by: "A. Mwangi".to_owned(),
        }
    }

    fn reopened() -> MonthEvent {
        MonthEvent::Reopened {
            reason: "late invoice".to_owned(),
            ticket: "FIN-7".to_owned(),
            approver: "B. Diallo".to_owned(),
            by: "A. Mwangi".to_owned(),
        }
    }

    #[tokio::test]
    async fn records_follow_each_other_and_a_change_is_found() {
        let (evidence, month) = (root(), "2024-04".parse().unwrap());
        let at = DateTime::UNIX_EPOCH;
        assert_eq!(read(&evidence, month).await.unwrap(), MonthLog::default());
        append(&evidence, month, event(1), at, None).await.unwrap();
        let refused = append(&evidence, month, event(2), at, None)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, PortErrorKind::Denied);
        append(&evidence, month, reopened(), at, None)
            .await
            .unwrap();
        let log = append(&evidence, month, event(2), at, None).await.unwrap();
        assert_eq!(log.records.len(), 3);
        assert_eq!(read(&evidence, month).await.unwrap(), log);

        let first = path(month, 1);
        let bytes = evidence.get(&first).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let other = root();
        for number in 1..=3 {
            let bytes = evidence.get(&path(month, number)).await.unwrap();
            let bytes = match number {
                1 => Bytes::from(text.replace("Mwangi", "Nobody")),
                _ => bytes,
            };
            other.create(&path(month, number), bytes).await.unwrap();
        }
        let changed = read(&other, month).await.unwrap_err();
        assert!(changed.to_string().contains("was changed"), "{changed}");
        let gap = root();
        let bytes = evidence.get(&path(month, 3)).await.unwrap();
        gap.create(&path(month, 3), bytes).await.unwrap();
        let gap = read(&gap, month).await.unwrap_err();
        assert!(gap.to_string().contains("lacks record 1"), "{gap}");
    }

    #[tokio::test]
    async fn a_record_holds_the_account_that_wrote_it_and_one_without_reads_as_before() {
        let (evidence, month) = (root(), "2024-04".parse().unwrap());
        let at = DateTime::UNIX_EPOCH;
        let account = Some("the key of a@b.example");
        append(&evidence, month, event(1), at, None).await.unwrap();
        append(&evidence, month, reopened(), at, account)
            .await
            .unwrap();
        append(&evidence, month, event(2), at, None).await.unwrap();
        let log = read(&evidence, month).await.unwrap();
        let accounts = log.records.iter().map(|record| record.account.as_deref());
        assert_eq!(accounts.collect::<Vec<_>>(), [None, account, None]);
        let other = root();
        for number in 1..=3 {
            let bytes = evidence.get(&path(month, number)).await.unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert_eq!(text.contains("\"account\""), number == 2, "{text}");
            let bytes = Bytes::from(text.replace("a@b.example", "c@b.example"));
            other.create(&path(month, number), bytes).await.unwrap();
        }
        let changed = read(&other, month).await.unwrap_err();
        assert!(changed.to_string().contains("was changed"), "{changed}");
    }

    #[tokio::test]
    async fn of_many_that_close_at_once_one_does() {
        let (evidence, month) = (root(), "2024-04".parse().unwrap());
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16 {
            let evidence = evidence.clone();
            tasks.spawn(async move {
                append(&evidence, month, event(number), DateTime::UNIX_EPOCH, None).await
            });
        }
        let ended = tasks.join_all().await;
        assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(read(&evidence, month).await.unwrap().records.len(), 1);
    }
}
