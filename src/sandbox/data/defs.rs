//! Declarations of the sandbox's tables, in NAV's names and types. Declarations only.
//!
//! # Source
//! Names as the catalog's queries use them; types as known from screenshots and NAV's conventions (amounts
//! `decimal(38,20)`, dates `datetime` with 1753-01-01 for "no date", booleans `tinyint`).

use crate::sandbox::data::table::TableDef;

const NAV: &str = "AIG_Nav_DW";
const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

pub(super) const CUSTOMER_LEDGER: TableDef = TableDef {
    name: [NAV, "dbo", "Customer Ledger Entries"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("Entry No_", "int", false),
        ("GL Entry No_", "int", false),
        ("Document No_", "varchar(20)", false),
        ("Document Type", "varchar(20)", false),
        ("External Document No_", "varchar(35)", true),
        ("Posting Date", "datetime", false),
        ("Document Date", "datetime", false),
        ("Due Date", "datetime", false),
        ("Closed at Date", "datetime", false),
        ("Customer No_", "varchar(20)", false),
        ("Customer Posting Group", "varchar(20)", false),
        ("Description", "nvarchar(50)", false),
        ("Source Code", "varchar(10)", false),
        ("Reason Code", "varchar(10)", true),
        ("Busline Code", "varchar(20)", false),
        ("Department Code", "varchar(20)", false),
        ("Resp_ Center", "varchar(10)", false),
        ("Currency", "varchar(10)", false),
        ("Original Amount", "decimal(38,20)", false),
        ("Original Amount (LCY)", "decimal(38,20)", false),
        ("Open", "tinyint", false),
        ("User ID", "nvarchar(50)", false),
        ("Destination Code", "varchar(20)", false),
        ("Partner Code", "nvarchar(20)", false),
        ("IC Partner Code", "varchar(20)", true),
    ],
    is_view: false,
};

pub(super) const CUSTOMER_DETAIL: TableDef = TableDef {
    name: [NAV, "dbo", "Detailed Customer Ledg_ Entry"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("Entry No_", "int", false),
        ("Cust_ Ledger Entry No_", "int", false),
        ("Entry Type", "varchar(30)", false),
        ("Posting Date", "datetime", false),
        ("Amount", "decimal(38,20)", false),
        ("Amount (LCY)", "decimal(38,20)", false),
        ("Customer No_", "varchar(20)", false),
        ("Currency Code", "varchar(10)", false),
    ],
    is_view: false,
};

pub(super) const GENERAL_LEDGER: TableDef = TableDef {
    name: [NAV, "dbo", "G_L Entries"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("Entry No_", "int", false),
        ("Chart of Accounts No_", "varchar(20)", false),
        ("Posting Date", "datetime", false),
        ("Document Date", "datetime", false),
        ("G_L Creation Date", "datetime", false),
        ("Document Type", "varchar(20)", false),
        ("Document No_", "varchar(20)", false),
        ("External Document No_", "varchar(35)", true),
        ("Voucher No_", "varchar(20)", true),
        ("Document Description", "nvarchar(50)", false),
        ("Amount", "decimal(38,20)", false),
        ("Currency Code", "varchar(10)", false),
        ("Busline Code", "varchar(20)", false),
        ("Department Code", "varchar(20)", false),
        ("Bal_ Account Type", "varchar(20)", false),
        ("Bal_ Account No_", "varchar(20)", false),
        ("Reason Code", "varchar(10)", true),
        ("Source Code", "varchar(10)", false),
        ("Source Type", "varchar(20)", false),
        ("Source No_", "varchar(20)", false),
        ("Reversed", "tinyint", false),
        ("User ID", "nvarchar(50)", false),
        ("Destination Code", "varchar(20)", false),
        ("Partner Code", "nvarchar(20)", false),
        ("IC Partner Code", "varchar(20)", true),
        ("System-Created Entry", "tinyint", false),
    ],
    is_view: false,
};

pub(super) const CUSTOMERS: TableDef = TableDef {
    name: [NAV, "dbo", "Customers"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("No_", "varchar(20)", false),
        ("Name", "nvarchar(100)", true),
        ("Busline Code", "varchar(20)", false),
        ("Automatically integrated", "tinyint", false),
        ("Customer Posting Group", "varchar(20)", false),
        ("Country_Region Code", "varchar(10)", false),
    ],
    is_view: false,
};

pub(super) const POSTING_GROUP: TableDef = TableDef {
    name: [NAV, "dbo", "Customer Posting Group"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("Code", "varchar(20)", false),
        ("Description", "nvarchar(50)", false),
        ("Receivables Account", "varchar(20)", false),
    ],
    is_view: false,
};

pub(super) const COMPANY: TableDef = TableDef {
    name: [FINREC, "fdw", "Dim_Company"],
    columns: &[
        ("Company_Code", "varchar(20)", false),
        ("Company_Name", "nvarchar(100)", false),
        ("Company_Country", "nvarchar(50)", false),
        ("Country_Code", "varchar(10)", false),
        ("Opco/Central_?", "varchar(20)", false),
        ("Currency_Code", "varchar(10)", false),
        ("Flg_In_Conso_Scope", "bit", false),
        ("Is_Active?", "bit", false),
    ],
    is_view: false,
};

pub(super) const CHART_OF_ACCOUNTS: TableDef = TableDef {
    name: [FINREC, "fdw", "Dim_ChartOfAccounts"],
    columns: &[
        ("Company_Code", "varchar(20)", false),
        ("G/L_Account_No", "varchar(20)", false),
        ("Account_Name", "nvarchar(100)", false),
        ("Group_COA_Account_no", "varchar(20)", false),
        ("Group_COA_Account_Name", "nvarchar(100)", false),
        ("Level_1_Name", "nvarchar(100)", true),
        ("Level_2_Name", "nvarchar(100)", true),
        ("Level_3_Name", "nvarchar(100)", true),
    ],
    is_view: false,
};

pub(super) const COUNTRY: TableDef = TableDef {
    name: [FINREC, "fdw", "Dim_Country"],
    columns: &[
        ("Country_Code", "varchar(10)", false),
        ("Country_Name", "nvarchar(50)", false),
    ],
    is_view: false,
};

pub(super) const FX_RATES: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_FX_RATES"],
    columns: &[
        ("Country_Code", "varchar(10)", false),
        ("Currency_Code", "varchar(10)", false),
        ("Base_Currency", "varchar(10)", false),
        ("Rate_Type", "varchar(20)", false),
        ("Year", "int", false),
        ("Cod_Month", "int", false),
        ("FX_rate", "decimal(38,20)", true),
    ],
    is_view: false,
};

pub(super) const BALANCES: TableDef = TableDef {
    name: [
        FINREC,
        "dbo",
        "V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT",
    ],
    columns: &[
        ("ID_COMPANY", "varchar(20)", false),
        ("COMPANY_NAME", "nvarchar(100)", false),
        ("COUNTRY_CODE", "varchar(10)", false),
        ("COUNTRY_NAME", "nvarchar(50)", false),
        ("CLOSING_DATE", "datetime", false),
        ("REFRESH_DATE", "datetime", false),
        ("GROUP_COA_ACCOUNT_NO", "varchar(20)", false),
        ("GROUP_COA_ACCOUNT_NAME", "nvarchar(100)", false),
        ("REAL_COA", "varchar(20)", false),
        ("CURRENCY", "varchar(10)", false),
        ("FX_RATE", "decimal(38,20)", true),
        ("BALANCE_AT_DATE", "decimal(38,20)", false),
        ("BUSLINE_CODE", "varchar(20)", false),
        ("REPORTING_COUNTRY_CODE", "varchar(10)", false),
        ("REPORTING_COUNTRY_NAME", "nvarchar(50)", false),
        ("PARTNER_CODE", "nvarchar(20)", false),
        ("IC_PARTNER_CODE", "varchar(20)", true),
        ("IS_RECHARGE", "bit", false),
        ("IS_RETAINED_EARNINGS", "bit", false),
        ("CONSO_ACCOUNT_NO", "varchar(20)", true),
        ("CONSO_ACCOUNT_NAME", "nvarchar(100)", true),
        ("IFRS_LEVEL_1_NAME", "nvarchar(100)", true),
        ("IFRS_LEVEL_2_NAME", "nvarchar(100)", true),
        ("IFRS_LEVEL_3_NAME", "nvarchar(100)", true),
        ("IS_INTERCO", "bit", false),
    ],
    is_view: true,
};
