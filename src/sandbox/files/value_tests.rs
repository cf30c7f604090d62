use super::*;

fn ty(text: &str) -> SqlType {
    text.parse().unwrap()
}

fn assert_parsed(text: &str, sql_type: &str, cell: &Cell<'_>) {
    let parsed = parse(text, &ty(sql_type));
    assert_eq!(parsed.as_ref(), Ok(cell), "{text} as {sql_type}");
}

#[test]
fn numbers_are_read_exactly() {
    for (text, sql_type, cell) in [
        ("1", "bit", Cell::Int(1)),
        ("FALSE", "bit", Cell::Int(0)),
        (" 255 ", "tinyint", Cell::Int(255)),
        ("-32768", "smallint", Cell::Int(-32_768)),
        ("+7", "int", Cell::Int(7)),
        ("-9223372036854775808", "bigint", Cell::Int(i64::MIN)),
        (
            "20970128.620000000105919",
            "decimal(38,20)",
            Cell::Dec(2_097_012_862_000_000_010_591_900_000, 20),
        ),
        (
            "6.7980965329707699E-4",
            "decimal(38,20)",
            Cell::Dec(67_980_965_329_707_699, 20),
        ),
        ("-12.5e+2", "decimal(9,2)", Cell::Dec(-125_000, 2)),
        ("0.00e-50", "decimal(1,0)", Cell::Dec(0, 0)),
        ("-.5", "decimal(3,1)", Cell::Dec(-5, 1)),
        ("-0.00", "decimal(3,1)", Cell::Dec(0, 1)),
        ("007.1000", "decimal(2,1)", Cell::Dec(71, 1)),
        (
            "99999999999999999999999999999999999999",
            "decimal(38,0)",
            Cell::Dec(10_i128.pow(38) - 1, 0),
        ),
        (
            "-922337203685477.5808",
            "money",
            Cell::Dec(i128::from(i64::MIN), 4),
        ),
        (
            "214748.3647",
            "smallmoney",
            Cell::Dec(i128::from(i32::MAX), 4),
        ),
        ("0.1", "float", Cell::Float(0.1)),
        ("1e-3", "real", Cell::Float(f64::from(0.001_f32))),
    ] {
        assert_parsed(text, sql_type, &cell);
    }
}

#[test]
fn dates_texts_and_bytes_are_read_as_they_stand() {
    let micros = |day: i64, us: i64| Cell::DateTime(day * DAY_US + us);
    for (text, sql_type, cell) in [
        ("1970-01-02", "date", Cell::Date(1)),
        ("20240229", "date", Cell::Date(19_782)),
        ("0001-01-01", "date", Cell::Date(-719_162)),
        ("23:59:59.1234560", "time(7)", Cell::Time(86_399_123_456)),
        ("09:30", "time(0)", Cell::Time(34_200_000_000)),
        ("1970-01-01 00:00:00.997", "datetime", micros(0, 997_000)),
        ("1753-01-01T00:00:00.000", "datetime", micros(-79_257, 0)),
        ("1970-01-02", "smalldatetime", micros(1, 0)),
        (
            "2079-06-06 23:59:00",
            "smalldatetime",
            micros(39_968, 86_340_000_000),
        ),
        (
            "1970-01-01 00:00:01.000001",
            "datetime2(6)",
            micros(0, 1_000_001),
        ),
        (
            "{6f9619ff-8b86-d011-b42d-00c04fc964ff}",
            "uniqueidentifier",
            Cell::text("6F9619FF-8B86-D011-B42D-00C04FC964FF"),
        ),
        (
            "0xCAFE",
            "varbinary(2)",
            Cell::Bytes(vec![0xCA, 0xFE].into()),
        ),
        ("ca", "binary(2)", Cell::Bytes(vec![0xCA, 0].into())),
        ("", "nvarchar(5)", Cell::text("")),
        (" 5 € ", "varchar(5)", Cell::text(" 5 € ")),
        ("𝄞", "nvarchar(2)", Cell::text("𝄞")),
        ("a", "char(3)", Cell::text("a  ")),
    ] {
        assert_parsed(text, sql_type, &cell);
    }
}

fn assert_refused(text: &str, sql_type: &str, part: &str) {
    let refused = parse(text, &ty(sql_type)).unwrap_err();
    assert!(refused.contains(part), "{text} as {sql_type}: {refused}");
    let shown = text.len() > 5 && refused.contains(text);
    assert!(!shown, "a message must not hold a value: {refused}");
}

#[test]
fn numbers_that_a_type_does_not_hold_are_refused_with_the_remedy() {
    for (text, sql_type, part) in [
        ("yes", "bit", "write 0 or 1"),
        ("", "int", "write digits only"),
        ("1.0", "int", "declare another type"),
        ("256", "tinyint", "out of the range of tinyint"),
        ("-1", "tinyint", "out of the range"),
        ("2147483648", "int", "declare a larger type"),
        ("9223372036854775808", "bigint", "out of the range"),
        (
            "1.005",
            "decimal(9,2)",
            "has 3 fraction digits, decimal(9,2) holds 2",
        ),
        (
            "1000",
            "decimal(5,2)",
            "has 4 digits before the point, decimal(5,2) holds 3",
        ),
        ("1,5", "decimal(9,2)", "digits with a point"),
        ("1e8", "decimal(9,2)", "has 9 digits before the point"),
        ("1.5E-3", "decimal(9,3)", "has 4 fraction digits"),
        ("1e100", "decimal(9,2)", "not a decimal number"),
        ("1e", "decimal(9,2)", "not a decimal number"),
        ("1e-3e", "decimal(9,2)", "not a decimal number"),
        ("--1", "decimal(9,2)", "not a decimal number"),
        (".", "decimal(9,2)", "not a decimal number"),
        ("٣", "decimal(9,2)", "not a decimal number"),
        ("922337203685477.5808", "money", "out of the range of money"),
        ("1.00001", "money", "has 5 fraction digits, money holds 4"),
        ("NaN", "float", "finite"),
        ("1e39", "real", "finite"),
    ] {
        assert_refused(text, sql_type, part);
    }
}

#[test]
fn dates_texts_and_bytes_that_a_type_does_not_hold_are_refused() {
    for (text, sql_type, part) in [
        ("2024-02-30", "date", "write YYYY-MM-DD"),
        ("30/04/2024", "date", "write YYYY-MM-DD"),
        ("0000-01-01", "date", "not a date"),
        ("2024-é1", "date", "not a date"),
        ("24:00:00", "time(0)", "not a time"),
        ("1:2:3", "time(0)", "not a time"),
        (
            "12:00:00.1",
            "time(0)",
            "has 1 fraction digits of a second, where 0 are held",
        ),
        ("12:00:00.1234567", "time(7)", "where 6 are held"),
        ("12:00:00.+1", "time(7)", "write digits"),
        (
            "2024-04-30 00:00:00.001",
            "datetime",
            "declare datetime2(3)",
        ),
        ("1752-12-31", "datetime", "before 1753"),
        ("2024-04-30T00:00:00Z", "datetime", "not a time"),
        ("2024-04-30 00:00:30", "smalldatetime", "no minute"),
        ("2079-06-07", "smalldatetime", "no minute"),
        (
            "6F9619FF8B86D011B42D00C04FC964FF",
            "uniqueidentifier",
            "8-4-4-4-12",
        ),
        ("CAF", "varbinary(max)", "in pairs"),
        ("xy", "varbinary(max)", "hex digits"),
        (
            "CAFE",
            "varbinary(1)",
            "has 2 bytes, too many for varbinary(1)",
        ),
        ("Łódź", "varchar(10)", "declare nvarchar"),
        (
            "abc",
            "varchar(2)",
            "has 3 characters, too many for varchar(2)",
        ),
        ("𝄞", "nvarchar(1)", "has 2 characters"),
    ] {
        assert_refused(text, sql_type, part);
    }
}

proptest::proptest! {
    #[test]
    fn a_written_decimal_reads_back(units in -(10_i128.pow(38) - 1)..10_i128.pow(38), scale in 0_u8..=38) {
        let text = crate::sandbox::tsql::value::decimal_text(units, scale);
        let sql_type = SqlType::Decimal { precision: 38, scale };
        proptest::prop_assert_eq!(parse(&text, &sql_type), Ok(Cell::Dec(units, scale)));
    }

    #[test]
    fn no_text_makes_a_panic(text in "[-+0-9.:TZ eExX{}\\u{e9}]{0,30}") {
        for sql_type in [
            "bit", "int", "decimal(38,20)", "money", "float", "date", "time(7)", "datetime", "datetime2(7)",
            "smalldatetime", "uniqueidentifier", "varbinary(4)", "char(4)", "nvarchar(max)",
        ] {
            let parsed = parse(&text, &ty(sql_type));
            proptest::prop_assert!(parsed.is_ok() || parsed.is_err());
        }
    }
}
