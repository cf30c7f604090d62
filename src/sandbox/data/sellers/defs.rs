//! Declarations of the tables of the seller centre. Declarations only.
//!
//! # Source
//! Names of the tables and of the columns of the result as the control's description has them; the others are the stand-in's.

use crate::sandbox::data::table::TableDef;

const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

pub(super) const TRANSACTIONS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_TRANSACTIONS_SELLER"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("SC_ID_Transaction", "bigint", false),
        ("SC_Transaction_No", "varchar(30)", false),
        ("SC_Created_Date", "datetime", false),
        ("SC_Transaction_Type", "nvarchar(50)", false),
        ("SC_Transaction_Amount", "decimal(19,4)", false),
        ("SC_Created_Manually", "bit", false),
        ("SC_ID_Vendor", "bigint", true),
        ("SC_ID_Sales_Order_Item", "bigint", true),
        ("OMS_ID_Sales_Order_Item", "bigint", true),
        ("BOB_ID_Sales_Order_Item", "bigint", true),
        ("Order_Nr", "varchar(20)", true),
        ("SC_ID_Account_Statement", "bigint", true),
    ],
    is_view: false,
};

pub(super) const ACCOUNTING: TableDef = TableDef {
    name: [FINREC, "RING", "RPT_TRANSACTIONS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Transaction", "bigint", false),
        ("ASG_Name", "nvarchar(50)", true),
        ("NAV_Type", "varchar(20)", true),
        ("NAV_Message", "nvarchar(100)", true),
    ],
    is_view: false,
};

pub(super) const STATEMENTS: TableDef = TableDef {
    name: [FINREC, "RING", "RPT_ACCOUNTSTATEMENTS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("ID_Account_Statement", "bigint", false),
        ("Statement_No", "varchar(30)", false),
        ("Start_Date", "datetime", false),
        ("End_Date", "datetime", true),
        ("Paid", "bit", true),
        ("Paid_Date", "datetime", true),
    ],
    is_view: false,
};

pub(super) const VENDORS: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_VENDORS"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("SC_ID_Vendor", "bigint", false),
        ("Vendor_No", "varchar(20)", false),
        ("BOB_ID_Vendor", "bigint", true),
        ("Vendor_Name", "nvarchar(100)", true),
        ("Is_Global", "bit", true),
    ],
    is_view: false,
};

pub(super) const GROUPS: TableDef = TableDef {
    name: [FINREC, "dbo", "GDOC_DIM_ASG_V2"],
    columns: &[
        ("ASG_Name", "nvarchar(50)", false),
        ("Level_1", "nvarchar(50)", true),
        ("Level_2", "nvarchar(50)", true),
        ("Level_3", "nvarchar(50)", true),
        ("Level_4", "nvarchar(50)", true),
    ],
    is_view: false,
};
