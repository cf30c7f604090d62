//! The way to the SQL Server: whose mistake it is when it is not reached, or does not let us in.

use soxauto::app::doctor::{Outcome, Report};
use soxauto::sandbox::server::{Credentials, Server, ServerConfig, Trust};
use soxauto::sandbox::{Sandbox, SandboxConfig};
use std::sync::Arc;

use super::{assert_only, check, look};
use crate::journey::Place;
use crate::server::Silent;
use crate::source::{LOGIN, engine};

const HEAD: &str = "source DB_CREDENTIALS_NAV_BI";

async fn looked(place: &Place) -> Report {
    let report = look(place.settings("")).await;
    let text = format!("{report:?}");
    assert!(!text.contains("SENTINEL"), "{text}");
    report
}

fn outcomes(report: &Report) -> Vec<Outcome> {
    let steps = [
        "secret",
        "name",
        "connection",
        "login",
        "databases",
        "item IPE_07",
    ];
    let outcome = |step: &str| check(report, &format!("{HEAD}: {step}")).outcome;
    steps.into_iter().map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_us_in_is_described_item_by_item() {
    let sandbox = Sandbox::start(SandboxConfig::of(Some(300), None))
        .await
        .unwrap();
    let place = Place::new();
    place.secret(&sandbox.odbc_connection_string());
    let report = looked(&place).await;
    sandbox.stop().await;
    assert_eq!(report.exit_code(), 0, "{report:#?}");
    assert_eq!(outcomes(&report), [Outcome::Ok; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_no_answer_and_the_roots_are_looked_at_all_the_same() {
    use Outcome::{NoAnswer, Ok, Skipped};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let place = Place::new();
    place.secret(&format!(
        "SERVER=tcp:127.0.0.1,{port};DATABASE=d;UID=u;PWD=SENTINEL-PASSWORD"
    ));
    let report = looked(&place).await;
    assert_eq!(
        outcomes(&report),
        [Ok, Ok, NoAnswer, Skipped, Skipped, Skipped]
    );
    assert_only(&report, NoAnswer, &[&format!("{HEAD}: connection")]);
    let said = check(&report, &format!("{HEAD}: connection"));
    assert!(
        said.said.contains(&format!("127.0.0.1:{port} refuses")),
        "{said:?}"
    );
    assert!(
        said.todo.as_deref().unwrap().contains("firewall"),
        "{said:?}"
    );
    assert_eq!(
        check(&report, &format!("{HEAD}: login")).said,
        "behind connection"
    );
    assert_eq!(check(&report, "staging").outcome, Ok);
    assert_eq!(report.exit_code(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_told_apart_from_a_port() {
    use Outcome::{NoAnswer, Ok, Skipped};
    let place = Place::new();
    place.secret("SERVER=tcp:fin-sql.invalid,1433;DATABASE=d;UID=u;PWD=SENTINEL-PASSWORD");
    let report = looked(&place).await;
    assert_eq!(
        outcomes(&report),
        [Ok, NoAnswer, Skipped, Skipped, Skipped, Skipped]
    );
    let said = check(&report, &format!("{HEAD}: name"));
    assert!(said.said.contains("fin-sql.invalid"), "{said:?}");
    assert!(
        said.todo.as_deref().unwrap().contains("Cloud DNS"),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_the_secrets_mistake_and_not_the_networks() {
    use Outcome::{Failed, Ok, Skipped};
    let server = Server::start(ServerConfig::default(), Arc::new(engine(1, 0)));
    let server = server.await.unwrap();
    let login = Credentials {
        password: "SENTINEL-PASSWORD",
        ..LOGIN
    };
    let place = Place::new();
    place.secret(&server.odbc_string(&login, Trust::Any));
    let report = looked(&place).await;
    assert_eq!(outcomes(&report), [Ok, Ok, Ok, Failed, Skipped, Skipped]);
    let said = check(&report, &format!("{HEAD}: login"));
    assert!(said.said.contains("refused the login"), "{said:?}");
    let todo = said.todo.as_deref().unwrap();
    assert!(
        todo.contains("UID and PWD") && !todo.contains("VPC"),
        "{todo}"
    );
    assert_eq!(report.exit_code(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_snapshot_is_well_with_advice_and_a_missing_one_is_not() {
    use Outcome::{Failed, Ok};
    let sandbox = Sandbox::start(SandboxConfig {
        snapshot_allowed: false,
        ..SandboxConfig::of(Some(300), None)
    });
    let sandbox = sandbox.await.unwrap();
    let place = Place::new();
    place.secret(&sandbox.odbc_connection_string());
    let report = looked(&place).await;
    sandbox.stop().await;
    assert_eq!(outcomes(&report), [Ok; 6]);
    let said = check(&report, &format!("{HEAD}: databases"));
    assert!(
        said.todo
            .as_deref()
            .unwrap()
            .contains("ALLOW_SNAPSHOT_ISOLATION ON"),
        "{said:?}"
    );

    let server = Server::start(ServerConfig::default(), Arc::new(engine(1, 0)));
    let server = server.await.unwrap();
    place.secret(&server.odbc_string(&LOGIN, Trust::Any));
    let report = looked(&place).await;
    assert_eq!(check(&report, &format!("{HEAD}: login")).outcome, Ok);
    assert_eq!(
        check(&report, &format!("{HEAD}: databases")).outcome,
        Failed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_or_is_no_connection_string_is_the_first_step() {
    use Outcome::{Failed, Skipped};
    let place = Place::new();
    let steps = [Failed, Skipped, Skipped, Skipped, Skipped, Skipped];
    assert_eq!(outcomes(&looked(&place).await), steps);
    place.secret("SENTINEL no connection string");
    let report = looked(&place).await;
    assert_eq!(outcomes(&report), steps);
    assert_only(&report, Failed, &[&format!("{HEAD}: secret")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_the_call_and_says_nothing_ends_within_its_limit() {
    let (place, silent) = (Place::new(), Silent::new());
    place.secret(&silent.connection_string());
    let mut settings = place.settings("");
    settings.limits.handshake_timeout = std::time::Duration::from_millis(200);
    let report = look(settings).await;
    let said = check(&report, &format!("{HEAD}: login"));
    assert_eq!(said.outcome, Outcome::NoAnswer, "{said:?}");
    assert!(said.seconds < 10.0, "{said:?}");
    assert_eq!(
        check(&report, &format!("{HEAD}: connection")).outcome,
        Outcome::Ok
    );
}
