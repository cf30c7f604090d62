use super::*;

const GUIDE: &str = "DRIVER={ODBC Driver 18 for SQL Server};SERVER=server.com;DATABASE=AIG_Nav_DW;UID=username;PWD=password;\
                     Encrypt=yes;TrustServerCertificate=no;Connection Timeout=30;";

#[test]
fn the_guides_string_is_read_exactly() {
    let address = parse(GUIDE).unwrap();
    assert_eq!((address.host.as_str(), address.port), ("server.com", 1433));
    assert_eq!(address.database, "AIG_Nav_DW");
    assert_eq!(
        (address.user.as_str(), address.password.expose()),
        ("username", "password")
    );
    assert_eq!(address.encrypt, Encrypt::Mandatory);
    assert!(!address.trust_server_certificate);
    assert_eq!(address.connect_timeout, Some(Duration::from_secs(30)));
}

#[test]
fn any_case_and_order_and_the_ado_form_say_the_same() {
    for text in [
        "pwd=password;uid=username;trustservercertificate=NO;ENCRYPT=Mandatory;server=tcp:server.com,1433;database=AIG_Nav_DW;driver={x}",
        "Server=tcp:server.com,1433;Initial Catalog=AIG_Nav_DW;User ID=username;Password=password;Encrypt=True;TrustServerCertificate=False",
        "Data Source=server.com;Database=AIG_Nav_DW;User Id=username;Password='password';Encrypt=true;Connect Timeout=30",
    ] {
        let address = parse(text).unwrap();
        assert_eq!(
            (address.host.as_str(), address.port),
            ("server.com", 1433),
            "{text}"
        );
        assert_eq!(address.database, "AIG_Nav_DW");
        assert_eq!(address.password.expose(), "password");
        assert_eq!(address.encrypt, Encrypt::Mandatory);
        assert!(!address.trust_server_certificate);
    }
}

#[test]
fn braces_and_quotes_hold_any_password() {
    let odbc = parse("DRIVER={x};SERVER=h;UID=u;PWD={a;b}}c=d'\"};Encrypt=no").unwrap();
    assert_eq!(odbc.password.expose(), "a;b}c=d'\"");
    assert_eq!(odbc.encrypt, Encrypt::LoginOnly);
    let ado = parse("Server=h;User ID=u;Password=\"a;b\"\"c={\"").unwrap();
    assert_eq!(ado.password.expose(), "a;b\"c={");
}

#[test]
fn servers_in_every_form() {
    for (server, host, port) in [
        ("h", "h", 1433),
        ("tcp:h", "h", 1433),
        ("TCP:h,14330", "h", 14330),
        ("h, 1500", "h", 1500),
        ("h\\INST,1500", "h", 1500),
        ("h\\MSSQLSERVER", "h", 1433),
        ("(local)", "localhost", 1433),
        (".", "localhost", 1433),
        ("10.0.0.5,1433", "10.0.0.5", 1433),
    ] {
        let address = parse(&format!("DRIVER={{x}};SERVER={server};UID=u;PWD=p")).unwrap();
        assert_eq!(
            (address.host.as_str(), address.port),
            (host, port),
            "{server}"
        );
    }
}

#[test]
fn every_malformed_string_is_refused_without_its_password() {
    for (text, part) in [
        ("", "is empty"),
        ("UID=u;PWD=S3cret", "names no server"),
        ("SERVER=h;PWD=S3cret", "names no login"),
        ("SERVER=h;UID=S3cret", "names no login"),
        (
            "SERVER=h\\INST;UID=u;PWD=S3cret",
            "names an instance without a port",
        ),
        (
            "SERVER=h,99999;UID=u;PWD=S3cret",
            "port that is not a number",
        ),
        ("SERVER=np:h;UID=u;PWD=S3cret", "protocol other than TCP"),
        ("DRIVER={x};SERVER=h;UID=u;PWD={S3cret", "never closed"),
        (
            "DRIVER={x};SERVER=h;UID=u;PWD={S3}cret}",
            "goes on behind its closing",
        ),
        (
            "DRIVER={x};SERVER=h;UID=u;PWD=half;S3cret",
            "is not KEYWORD=value",
        ),
        (
            "DRIVER={x};SERVER=h;UID=u;PWD=half;S3cret=x",
            "keyword that is not known",
        ),
        ("SERVER=h;UID=u;PWD=S3cret;PWD=S3cret", "repeats a keyword"),
        (
            "SERVER=h;Trusted_Connection=yes;PWD=S3cret",
            "Windows authentication",
        ),
        (
            "SERVER=h;UID=u;PWD=S3cret;Encrypt=S3cret",
            "keyword Encrypt",
        ),
        (
            "SERVER=h;UID=u;PWD=S3cret;TrustServerCertificate=S3cret",
            "neither yes nor no",
        ),
        (
            "SERVER=h;UID=u;PWD=S3cret;Connection Timeout=S3cret",
            "not a number of seconds",
        ),
        (
            "SERVER=h;UID=u;PWD=S3cret;Authentication=ActiveDirectoryMsi",
            "other than SqlPassword",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Config, "{text}");
        let printed = format!("{error}\n{error:?}");
        assert!(printed.contains(part), "{text}: {printed}");
        assert!(
            !printed.contains("S3") && !printed.contains("cret"),
            "{printed}"
        );
    }
}

#[test]
fn a_debug_print_holds_no_password() {
    let address = parse(GUIDE).unwrap();
    assert!(!format!("{address:?}").contains("password\""));
}
