//! Logins, encryption and plain batches.

use std::sync::Arc;

use arrow::array::{Int32Array, StringArray};
use soxauto::sandbox::server::{Server, TlsMode, Trust};
use soxauto::sandbox::tds::fixed::FixedEngine;
use tiberius::{AuthMethod, Config, EncryptionLevel};

use super::*;

fn people() -> FixedEngine {
    let columns = vec![
        column("id", "int", false),
        column("name", "nvarchar(20)", true),
    ];
    let ids = Int32Array::from(vec![1, 2]);
    let names = StringArray::from(vec![Some("Zoë 😀"), None]);
    FixedEngine::new()
        .with_login(LOGIN.user, LOGIN.password)
        .on_rows(
            "SELECT people",
            columns,
            batch(vec![Arc::new(ids), Arc::new(names)]),
        )
}

async fn people_are_read(server: &Server, config: Config) {
    let mut client = connect_with(server, config).await.unwrap();
    let rows = client
        .simple_query("SELECT people")
        .await
        .unwrap()
        .into_first_result()
        .await;
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get::<i32, _>("id"), Some(1));
    assert_eq!(rows[0].get::<&str, _>("name"), Some("Zoë 😀"));
    assert_eq!(rows[1].get::<&str, _>("name"), None);
    client.close().await.unwrap();
}

fn config(server: &Server, level: EncryptionLevel) -> Config {
    let mut config = Config::from_ado_string(&server.ado_string(&LOGIN, Trust::Any)).unwrap();
    config.encryption(level);
    config
}

#[tokio::test]
async fn rows_come_over_tls() {
    let server = start(people()).await;
    people_are_read(&server, config(&server, EncryptionLevel::Required)).await;
    server.stop().await;
}

#[tokio::test]
async fn a_login_only_client_goes_on_in_clear() {
    let server = start_with(people(), tls(TlsMode::Optional)).await;
    people_are_read(&server, config(&server, EncryptionLevel::Off)).await;
    people_are_read(&server, config(&server, EncryptionLevel::On)).await;
    people_are_read(&server, config(&server, EncryptionLevel::NotSupported)).await;
}

#[tokio::test]
async fn a_server_without_tls_serves_only_clients_that_do_not_insist() {
    let server = start_with(people(), tls(TlsMode::Off)).await;
    let as_told = server.ado_string(&LOGIN, Trust::Any);
    people_are_read(&server, Config::from_ado_string(&as_told).unwrap()).await;
    people_are_read(&server, config(&server, EncryptionLevel::NotSupported)).await;
    let refused = connect_with(&server, config(&server, EncryptionLevel::Required)).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_server_that_requires_tls_refuses_clear_text() {
    let server = start_with(people(), tls(TlsMode::Required)).await;
    people_are_read(&server, config(&server, EncryptionLevel::Off)).await;
    let refused = connect_with(&server, config(&server, EncryptionLevel::NotSupported)).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn the_certificate_can_be_trusted_and_no_other() {
    let server = start(people()).await;
    let other = start(people()).await;
    let trusting = |pem: &str| {
        let mut config =
            Config::from_ado_string(&server.ado_string(&LOGIN, Trust::Verified)).unwrap();
        config.trust_cert_ca_bundle(pem.as_bytes());
        config
    };
    people_are_read(&server, trusting(server.certificate_pem())).await;
    assert!(
        connect_with(&server, trusting(other.certificate_pem()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_wrong_password_is_error_18456() {
    let server = start(people()).await;
    let mut config = config(&server, EncryptionLevel::Required);
    config.authentication(AuthMethod::sql_server(LOGIN.user, "wrong"));
    let error = connect_with(&server, config).await.err().unwrap();
    assert_eq!(error.code(), Some(18456), "{error}");
}

#[tokio::test]
async fn large_and_small_packets_carry_the_same() {
    let server = start(people()).await;
    for packet_bytes in [512, 4096, 32767] {
        let mut config = config(&server, EncryptionLevel::Required);
        config.packet_size(packet_bytes);
        people_are_read(&server, config).await;
    }
}

#[tokio::test]
async fn connection_strings_are_what_drivers_expect() {
    let server = start(people()).await;
    let login = Credentials {
        user: "sox",
        password: "a}b",
        database: "NAV",
    };
    let expected = format!(
        "DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=tcp:127.0.0.1,{};DATABASE=NAV;UID=sox;\
         PWD={{a}}}}b}};Encrypt=yes;TrustServerCertificate=no;",
        server.addr().port()
    );
    assert_eq!(server.odbc_string(&login, Trust::Verified), expected);
}
