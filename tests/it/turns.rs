//! The local warehouse beside others: the turn at a month that somebody else has, and disks that let it wait.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use soxauto::ports::{PortErrorKind, Warehouse as _};
use tokio::task::{spawn_blocking, yield_now};

use crate::evidence::sample::{context, contract, ipe, job, staged};
use crate::warehouse::{House, house, run_of, runs};

fn table(house: &House) -> PathBuf {
    house.dir.path().join("warehouse").join(ipe().table_name())
}

/// The turn at the month, as a run has it that was stopped in the midst of its switch.
fn hold(house: &House) -> File {
    let month = File::open(table(house).join("period=2024-04")).unwrap();
    month.lock().unwrap();
    month
}

#[tokio::test]
async fn who_does_not_get_the_turn_in_two_seconds_is_refused_and_the_old_month_stands() {
    let house = house().await;
    let (old, new) = (context(1), context(2));
    let before = staged(&house.staging, &old, 20).await;
    house.warehouse.load(&job(&old, &before)).await.unwrap();
    let after = job(&new, &staged(&house.staging, &new, 30).await);
    let turn = hold(&house);
    let begun = Instant::now();
    let refused = house.warehouse.load(&after).await.unwrap_err();
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(1_900), "{waited:?}");
    assert_eq!(refused.kind, PortErrorKind::Denied);
    let said = refused.to_string();
    for part in [
        "another run is switching this month and does not end; the old month stands",
        "period=2024-04",
        "hint: end the other run's process",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // Readers need no turn.
    assert_eq!(runs(&house.warehouse).await, run_of(&old, 20));
    drop(turn);
    house.warehouse.load(&after).await.unwrap();
    assert_eq!(runs(&house.warehouse).await, run_of(&new, 30));
}

#[tokio::test]
async fn a_turn_that_ends_in_time_is_waited_for() {
    let house = house().await;
    let (old, new) = (context(1), context(2));
    let before = staged(&house.staging, &old, 20).await;
    house.warehouse.load(&job(&old, &before)).await.unwrap();
    let after = job(&new, &staged(&house.staging, &new, 30).await);
    let turn = hold(&house);
    let pause = Duration::from_millis(400);
    let begun = Instant::now();
    let holder = std::thread::spawn(move || {
        std::thread::sleep(pause);
        drop(turn);
    });
    house.warehouse.load(&after).await.unwrap();
    assert!(begun.elapsed() >= pause, "it did not wait for the other");
    holder.join().unwrap();
    assert_eq!(runs(&house.warehouse).await, run_of(&new, 30));
}

/// Makes a file slow: whoever reads it waits until somebody writes it.
fn make_slow(file: &Path) -> Vec<u8> {
    let text = fs::read(file).unwrap();
    fs::remove_file(file).unwrap();
    assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    text
}

/// Does the work on one async thread, on which somebody writes the slow file as soon as the thread is free.
fn beside_a_writer(work: impl AsyncFnOnce(&House, PathBuf) + Send + 'static) {
    let (done, is_done) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            let house = house().await;
            let slow = table(&house).join("schema.json");
            work(&house, slow).await;
        });
        done.send(()).unwrap();
    });
    let done = is_done.recv_timeout(Duration::from_secs(20));
    done.expect("reading a slow disk stops the async thread");
}

async fn write_later(file: PathBuf, text: Vec<u8>) {
    yield_now().await;
    spawn_blocking(|| fs::write(file, text))
        .await
        .unwrap()
        .unwrap();
}

#[test]
fn a_slow_disk_stops_no_async_thread() {
    beside_a_writer(async |house, slow| {
        let text = make_slow(&slow);
        let (name, contract) = (ipe().table_name(), contract());
        let prepared = house.warehouse.prepare(&name, &contract);
        let (prepared, ()) = tokio::join!(prepared, write_later(slow, text));
        prepared.unwrap();
    });
    beside_a_writer(async |house, slow| {
        let run = context(1);
        let job = job(&run, &staged(&house.staging, &run, 20).await);
        let text = make_slow(&slow);
        let writer = write_later(slow.clone(), text.clone());
        let (loaded, ()) = tokio::join!(house.warehouse.load(&job), writer);
        assert_eq!(loaded.unwrap().output_rows, 20);
        fs::remove_file(&slow).unwrap();
        fs::write(&slow, text).unwrap();
        assert_eq!(runs(&house.warehouse).await, run_of(&run, 20));
    });
}
