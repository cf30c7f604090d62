//! What the adapter asks when it opens a view, and how values are bound.

use soxauto::ports::{Cell, Consistency};

use super::{batch, column, engine, open, serve};

#[tokio::test]
async fn snapshot_where_every_database_allows_it_and_bracketed_otherwise() {
    for (state, consistency, isolation) in [
        (1, Consistency::Snapshot, "SNAPSHOT"),
        (0, Consistency::Bracketed, "READ COMMITTED"),
    ] {
        let engine = engine(state, 0);
        let requests = engine.requests();
        let server = serve(engine, Default::default()).await;
        let view = open(&server).await.unwrap();
        assert_eq!(view.consistency(), consistency);
        assert_eq!(view.access().isolation_level, isolation);
        assert_eq!(view.access().server, "FIN-SQL");
        assert_eq!(view.access().server_version, "Microsoft SQL Server 2019");
        assert_eq!(view.access().databases[0].write_rights, Some(vec![]));
        view.close().await.unwrap();
        let began = requests
            .lock()
            .unwrap()
            .iter()
            .any(|r| r.sql == "BEGIN TRANSACTION");
        let ended = requests
            .lock()
            .unwrap()
            .iter()
            .any(|r| r.sql == "COMMIT TRANSACTION");
        assert_eq!((began, ended), (state == 1, state == 1));
    }
}

#[tokio::test]
async fn rights_to_write_are_in_the_access_evidence() {
    let server = serve(engine(1, 1), Default::default()).await;
    let view = open(&server).await.unwrap();
    assert_eq!(
        view.access().databases[0].write_rights,
        Some(vec!["INSERT".to_owned()])
    );
}

#[tokio::test]
async fn parameters_are_bound_typed_never_spliced() {
    use soxauto::domain::query::{BoundParam, ParamValue};
    let engine = engine(1, 0).on_rows(
        "SELECT @P1",
        vec![column("a", "int")],
        batch(vec![super::number(7)]),
    );
    let requests = engine.requests();
    let server = serve(engine, Default::default()).await;
    let mut view = open(&server).await.unwrap();
    let date = "2024-05-01".parse().unwrap();
    let param = BoundParam {
        name: "next_start".into(),
        sql_type: "date".into(),
        value: ParamValue::Date(date),
    };
    let bound = soxauto::domain::query::BoundQuery {
        text: "SELECT @P1".into(),
        params: vec![param],
    };
    let table = view.rows(&bound, 10).await.unwrap();
    assert_eq!(table.rows, vec![vec![Cell::Int(7)]]);
    let seen = requests
        .lock()
        .unwrap()
        .iter()
        .find(|r| r.sql == "SELECT @P1")
        .cloned()
        .unwrap();
    assert_eq!(seen.params.len(), 1);
    assert_eq!(seen.params[0].sql_type.to_string(), "date");
}
