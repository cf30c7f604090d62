//! A publication is asked to stop in the midst of its load, or the warehouse counts something else than was staged.

use super::*;

/// The warehouse, and whoever meddles with it.
struct Meddled<'a> {
    house: &'a House,
    /// Before each load.
    before: fn(&House),
    /// To what is counted.
    counted: fn(&mut ReadBack),
}

#[async_trait]
impl Warehouse for Meddled<'_> {
    async fn prepare(&self, table: &str, contract: &Contract) -> Result<(), PortError> {
        self.house.warehouse.prepare(table, contract).await
    }

    async fn load_telling(&self, job: &LoadJob, tell: Tell<'_>) -> Result<LoadReceipt, PortError> {
        (self.before)(self.house);
        self.house.warehouse.load_telling(job, tell).await
    }

    async fn read_back(
        &self,
        table: &str,
        period: Period,
        contract: &Contract,
        rows_max: usize,
    ) -> Result<ReadBack, PortError> {
        let warehouse = &self.house.warehouse;
        let back = warehouse.read_back(table, period, contract, rows_max).await;
        back.map(|mut back| {
            (self.counted)(&mut back);
            back
        })
    }

    async fn rows(&self, sql: &str, rows_max: usize) -> Result<SmallTable, PortError> {
        self.house.warehouse.rows(sql, rows_max).await
    }

    fn location(&self) -> String {
        self.house.warehouse.location()
    }
}

/// A month with one package, published through somebody who meddles.
async fn meddled(
    house: &House,
    before: fn(&House),
    counted: fn(&mut ReadBack),
) -> PublicationResult {
    seal(house, 70);
    let rounds = AtomicU32::new(1);
    let begin = || name(rounds.fetch_add(1, Ordering::Relaxed));
    let meddled = Meddled {
        house,
        before,
        counted,
    };
    let publisher = Publisher {
        warehouse: &meddled,
        ..house.publisher(&begin)
    };
    publish(publisher, month()).await
}

#[tokio::test]
async fn a_load_that_has_begun_ends_before_the_publication_stops() {
    let house = House::new();
    let stopped = meddled(
        &house,
        |house| {
            seal(house, 71);
            house.stop.cancel();
        },
        |_| (),
    )
    .await;
    let error = stopped.error_message.unwrap();
    assert!(
        error.contains("asked to stop before all of it was loaded"),
        "{error}"
    );
    // What was loaded is counted and whole; what was sealed since is what is missing.
    assert_eq!(stopped.tables[0].rows, 1);
    assert_eq!(house.shown().await.len(), 1);
    let leases = house.evidence.list("runs/SOXAUTO_TABLES").await.unwrap();
    let given_back = leases
        .iter()
        .filter(|stored| stored.path.ends_with("/ended.json"));
    assert_eq!(given_back.count(), 1);

    // The negative twin: who is not asked makes the month again.
    let house = House::new();
    let whole = meddled(&house, |house| seal(house, 71), |_| ()).await;
    assert_eq!(whole.error_message, None);
    assert_eq!(whole.tables[0].rows, 2);
}

#[tokio::test]
async fn sums_that_differ_are_counted_and_none_is_said() {
    let house = House::new();
    let altered = meddled(
        &house,
        |_| (),
        |back| {
            let groups = &mut back.recomputed.totals.groups;
            let group = groups.values_mut().next().unwrap();
            group.sums[0] = "987654321.5".parse().unwrap();
        },
    )
    .await;
    let error = altered.error_message.unwrap();
    let counted = "1 counts or sums and 0 buckets of the digest differ from what was staged";
    assert!(error.contains(counted), "{error}");
    assert!(error.contains("publish again"), "{error}");
    assert!(
        !error.contains("987654321") && !error.contains("sum of"),
        "{error}"
    );

    // A digest of other rows is counted by its buckets.
    let house = House::new();
    let altered = meddled(
        &house,
        |_| (),
        |back| {
            let bucket = back.buckets.values_mut().next().unwrap();
            bucket.limbs[0] += 1;
        },
    )
    .await;
    let error = altered.error_message.unwrap();
    let counted = "0 counts or sums and 1 buckets of the digest differ";
    assert!(error.contains(counted), "{error}");

    // The negative twin: what is counted as it was staged is no error.
    let house = House::new();
    let same = meddled(&house, |_| (), |_| ()).await;
    assert_eq!(same.error_message, None);
}
