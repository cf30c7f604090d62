//! Declarations of the tables of cash collections. Declarations only.
//!
//! # Source
//! Names of the tables as the control's description has them; no declaration of theirs is known, so the columns are the
//! stand-in's own. Money of the shops has four decimals.

use crate::sandbox::data::table::TableDef;

const NAV: &str = "AIG_Nav_DW";
const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

pub(super) const TRANSACTIONS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_CASHREC_TRANSACTION"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Transaction", "bigint", false),
        ("Transaction_Type", "varchar(30)", false),
        ("Related_Entity", "nvarchar(50)", true),
        ("ID_Collection_Partner", "varchar(20)", true),
        ("Amount", "decimal(19,4)", false),
        ("Created_Date", "datetime", false),
        ("Payment_Date", "datetime", true),
        ("Reversal_Date", "datetime", true),
        ("ID_Transaction_List", "bigint", true),
        ("List_Date", "datetime", true),
        ("List_Status", "varchar(20)", true),
    ],
    is_view: false,
};

pub(super) const REALLOCATIONS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_CASHREC_REALLOCATIONS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Transaction", "bigint", false),
        ("Line_No", "int", false),
        ("From_Collection_Partner", "varchar(20)", true),
        ("Related_Entity", "nvarchar(50)", true),
        ("Amount", "decimal(19,4)", false),
        ("Reallocation_Date", "datetime", false),
        ("Received_Date", "datetime", true),
    ],
    is_view: false,
};

pub(super) const LISTS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_PACKLIST_PACKAGES"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Transaction_List", "bigint", false),
        ("Line_No", "int", false),
        ("Related_Entity", "nvarchar(50)", true),
        ("ID_Collection_Partner", "varchar(20)", true),
        ("Amount_Received", "decimal(19,4)", false),
        ("Received_Date", "datetime", false),
        ("Amount_Applied", "decimal(19,4)", false),
        ("Applied_Date", "datetime", true),
        ("Force_Closed_Date", "datetime", true),
    ],
    is_view: false,
};

pub(super) const PAYMENTS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_PACKLIST_PAYMENTS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Payment", "bigint", false),
        ("Line_No", "int", false),
        ("Payment_Type", "varchar(30)", false),
        ("Related_Entity", "nvarchar(50)", true),
        ("ID_Collection_Partner", "varchar(20)", true),
        ("Amount", "decimal(19,4)", false),
        ("Created_Date", "datetime", false),
    ],
    is_view: false,
};

pub(super) const DEPOSITS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_CASHDEPOSIT"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Payment", "bigint", false),
        ("Line_No", "int", false),
        ("Amount", "decimal(19,4)", false),
        ("Deposit_Date", "datetime", false),
    ],
    is_view: false,
};

pub(super) const ADJUSTMENTS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_COLLECTIONADJ"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Payment", "bigint", false),
        ("Line_No", "int", false),
        ("Amount", "decimal(19,4)", false),
        ("Adjustment_Date", "datetime", false),
    ],
    is_view: false,
};

pub(super) const HUBS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_HUBS_3PL_MAPPING"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("Hub", "nvarchar(50)", false),
        ("ID_Collection_Partner", "varchar(20)", false),
    ],
    is_view: false,
};

pub(super) const PARTNERS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_COLLECTIONPARTNERS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Collection_Partner", "varchar(20)", false),
        ("Service_Provider", "nvarchar(50)", false),
        ("Type", "varchar(20)", true),
        ("ERP_Name", "nvarchar(50)", true),
        ("Bank_Account_No", "varchar(20)", true),
    ],
    is_view: false,
};

pub(super) const BANK_ACCOUNTS: TableDef = TableDef {
    name: [NAV, "dbo", "Bank Accounts"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("No_", "varchar(20)", false),
        ("Name", "nvarchar(50)", false),
        ("Bank Acc_ Posting Group", "varchar(20)", false),
    ],
    is_view: false,
};

pub(super) const BANK_POSTING_GROUPS: TableDef = TableDef {
    name: [NAV, "dbo", "Bank Account Posting Group"],
    columns: &[
        ("id_company", "varchar(20)", false),
        ("Code", "varchar(20)", false),
        ("G_L Bank Account No_", "varchar(20)", false),
    ],
    is_view: false,
};
