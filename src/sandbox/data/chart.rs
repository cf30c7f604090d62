//! The fixed part of the sandbox's world: companies, currencies, rates, accounts, posting groups, business lines.
//! Constants only; what is drawn at random lives in `events`.

/// One company of the group.
#[derive(Debug, Clone, Copy)]
pub struct Company {
    /// Code as every table spells it.
    pub code: &'static str,
    /// Legal name.
    pub name: &'static str,
    /// Country in English.
    pub country: &'static str,
    /// ISO code of the country.
    pub country_code: &'static str,
    /// Functional currency.
    pub currency: &'static str,
    /// Closing rate, local currency per US dollar, in hundredths.
    pub rate_hundredths: i64,
    /// Whether the company is consolidated.
    pub in_scope: bool,
    /// Share of the group's entries, in thousandths of the in-scope total (or of it again, when out of scope).
    pub weight: u64,
}

const fn company(
    code: &'static str,
    name: &'static str,
    country: (&'static str, &'static str),
    currency: (&'static str, i64),
    in_scope: bool,
    weight: u64,
) -> Company {
    Company {
        code,
        name,
        country: country.0,
        country_code: country.1,
        currency: currency.0,
        rate_hundredths: currency.1,
        in_scope,
        weight,
    }
}

/// Nine consolidated companies, two outside the scope, one whose functional currency is the US dollar.
///
/// # Source
/// Companies and rates of the control's description; TND, XAF and USD are the sandbox's own.
pub const COMPANIES: [Company; 12] = [
    company(
        "EC_NG",
        "Ecart Services Nigeria Ltd",
        ("Nigeria", "NG"),
        ("NGN", 165_000),
        true,
        280,
    ),
    company(
        "EC_KE",
        "Ecart Services Kenya Ltd",
        ("Kenya", "KE"),
        ("KES", 13_000),
        true,
        150,
    ),
    company(
        "EC_IC",
        "Ecart Côte d'Ivoire SARL",
        ("Côte d'Ivoire", "CI"),
        ("XOF", 60_000),
        true,
        110,
    ),
    company(
        "HF_SN",
        "Hello Food Sénégal SUARL",
        ("Senegal", "SN"),
        ("XOF", 60_000),
        true,
        60,
    ),
    company(
        "JD_GH",
        "Jade Ghana Ltd",
        ("Ghana", "GH"),
        ("GHS", 1_350),
        true,
        70,
    ),
    company(
        "JD_UG",
        "Jade Uganda Ltd",
        ("Uganda", "UG"),
        ("UGX", 380_000),
        true,
        50,
    ),
    company(
        "JD_DZ",
        "Jade Algérie SARL",
        ("Algeria", "DZ"),
        ("DZD", 13_450),
        true,
        60,
    ),
    company(
        "JM_EG",
        "Jumia Egypt LLC",
        ("Egypt", "EG"),
        ("EGP", 4_890),
        true,
        140,
    ),
    company(
        "EC_MA",
        "Ecart Maroc SARL",
        ("Morocco", "MA"),
        ("MAD", 1_010),
        true,
        80,
    ),
    company(
        "AT_TN",
        "Atlas Tunisie SARL",
        ("Tunisia", "TN"),
        ("TND", 310),
        false,
        20,
    ),
    company(
        "EC_CM",
        "Ecart Cameroun SARL",
        ("Cameroon", "CM"),
        ("XAF", 60_000),
        false,
        15,
    ),
    company(
        "EC_NG_USD",
        "Ecart Services Nigeria Ltd",
        ("Nigeria", "NG"),
        ("USD", 100),
        false,
        5,
    ),
];

/// One account of the group's chart with the number that the companies use for it.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Number in the companies' own charts.
    pub local: &'static str,
    /// Number in the group's chart.
    pub group: &'static str,
    /// Name.
    pub name: &'static str,
    /// The three levels of the financial statements.
    pub levels: [&'static str; 3],
}

const fn account(
    local: &'static str,
    group: &'static str,
    name: &'static str,
    levels: [&'static str; 3],
) -> Account {
    Account {
        local,
        group,
        name,
        levels,
    }
}

const RECEIVABLE: [&str; 3] = ["Assets", "Current assets", "Trade and other receivables"];

/// Position of the bank account in [`ACCOUNTS`].
pub const BANK: usize = 4;
/// Position of the revenue account in [`ACCOUNTS`].
pub const REVENUE: usize = 5;
/// Position of 13001 in [`ACCOUNTS`].
pub const COLLECTED: usize = 6;
/// Position of 18317 in [`ACCOUNTS`].
pub const REFUNDS: usize = 7;
/// Position of 18350 in [`ACCOUNTS`].
pub const PREPAYMENTS: usize = 8;
/// Position of 13005 in [`ACCOUNTS`].
pub const PACKAGES: usize = 9;
/// Position of 13024 in [`ACCOUNTS`].
pub const PACKAGES_OTHER: usize = 10;
/// Position of 13002 in [`ACCOUNTS`].
pub const COLLECTED_OTHER: usize = 11;
/// Position of 13011 in [`ACCOUNTS`].
pub const IN_TRANSIT: usize = 12;
/// Position of 13012 in [`ACCOUNTS`].
pub const IN_TRANSIT_OTHER: usize = 13;
/// Position of 18412 in [`ACCOUNTS`].
pub const VOUCHERS: usize = 14;
/// Position of 18304 in [`ACCOUNTS`].
pub const ACCRUED: usize = 15;
/// Position of the marketing expense in [`ACCOUNTS`].
pub const MARKETING: usize = 16;

const LIABILITY: [&str; 3] = [
    "Liabilities",
    "Current liabilities",
    "Trade and other payables",
];

/// The accounts of the customer ledger's postings, then those that documents of other systems touch. Two local accounts
/// share the group account 13003.
pub const ACCOUNTS: [Account; 17] = [
    account(
        "1300301",
        "13003",
        "Accounts receivable - trade",
        RECEIVABLE,
    ),
    account(
        "1300302",
        "13003",
        "Accounts receivable - trade",
        RECEIVABLE,
    ),
    account(
        "1300401",
        "13004",
        "Accounts receivable - other",
        RECEIVABLE,
    ),
    account(
        "1300901",
        "13009",
        "Accounts receivable - allowance",
        RECEIVABLE,
    ),
    account(
        "1005801",
        "10058",
        "Bank",
        ["Assets", "Current assets", "Cash and cash equivalents"],
    ),
    account(
        "3010101",
        "30101",
        "Revenue",
        ["Income", "Revenue", "Sales of goods"],
    ),
    account(
        "1300101",
        "13001",
        "Cash collected - in transit",
        RECEIVABLE,
    ),
    account(
        "1831701",
        "18317",
        "Marketplace refund liability",
        LIABILITY,
    ),
    account("1835001", "18350", "Customer prepayments", LIABILITY),
    account(
        "1300501",
        "13005",
        "Packages delivered, not reconciled",
        RECEIVABLE,
    ),
    account("1302401", "13024", "Packages - other", RECEIVABLE),
    account("1300201", "13002", "Cash collected - other", RECEIVABLE),
    account("1301101", "13011", "Collections in transit", RECEIVABLE),
    account("1301201", "13012", "Payments in transit", RECEIVABLE),
    account("1841201", "18412", "Voucher liability", LIABILITY),
    account("1830401", "18304", "Marketplace accrued revenue", LIABILITY),
    account(
        "4010101",
        "40101",
        "Marketing",
        ["Expenses", "Operating expenses", "Marketing"],
    ),
];

/// Customer posting groups with the position of their receivables account in [`ACCOUNTS`].
pub const POSTING_GROUPS: [(&str, usize); 17] = [
    ("B2C-NG-NAT", 0),
    ("NATIONAL", 0),
    ("NAT", 0),
    ("B2B-NG-NAT", 0),
    ("INL", 0),
    ("B2C-NG-INT", 1),
    ("B2B-NG-INT", 1),
    ("EXPORT", 1),
    ("EU", 1),
    ("UE", 1),
    ("AUS", 1),
    ("NTR-NG-NAT", 2),
    ("NTR-NG-INT", 2),
    ("LOAN-REC-NAT", 2),
    ("EMP-NAT", 2),
    ("OM", 3),
    ("EXCB2B-NAT", 3),
];

/// A posting group that entries can name and that no company has: it lacks an account.
const UNLISTED_GROUP: &str = "B2C-NEW";

/// Code and receivables account of a posting group; any position beyond the list is the unlisted group.
#[must_use]
pub fn posting_group(index: usize) -> (&'static str, Option<usize>) {
    match POSTING_GROUPS.get(index) {
        Some((code, account)) => (code, Some(*account)),
        None => (UNLISTED_GROUP, None),
    }
}

/// Position of the empty business line in [`BUSLINES`].
pub const NO_BUSLINE: usize = 4;
/// Business lines.
pub const BUSLINES: [&str; 5] = ["RTL-001", "MPL-001", "LOG-001", "PAY-001", ""];

/// Partner codes; most postings have none.
pub const PARTNERS: [&str; 3] = ["", "JUMIA-PAY", "3PL-CÔTÉ"];

/// Transaction currencies with their value in US dollars in hundredths; the first is the company's own.
pub const CURRENCIES: [(&str, i64); 3] = [("", 0), ("USD", 100), ("EUR", 107)];

/// First excluded day of the period that the ledger is built for, 2024-05-01.
pub const NEXT_START: (i32, u32, u32) = (2024, 5, 1);
/// First day of that period.
pub const START: (i32, u32, u32) = (2024, 4, 1);
