//! Declarations of the shop's voucher tables. Declarations only.

use crate::sandbox::data::table::TableDef;

const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

/// The stock of vouchers at every month end: one row a voucher and snapshot.
pub(in crate::sandbox::data) const CLOSING: TableDef = TableDef {
    name: [FINREC, "dbo", "V_STORECREDITVOUCHER_CLOSING"],
    columns: &[
        ("ID_COMPANY", "varchar(20)", false),
        ("id", "varchar(20)", false),
        ("code", "varchar(50)", false),
        ("business_use", "varchar(50)", true),
        ("template_id", "int", true),
        ("template_name", "nvarchar(100)", true),
        ("description", "nvarchar(255)", true),
        ("is_active", "tinyint", true),
        ("type", "varchar(20)", false),
        ("template_status", "varchar(20)", true),
        ("discount_amount", "decimal(19,4)", false),
        ("from_date", "datetime", false),
        ("to_date", "datetime", false),
        ("created_at", "datetime", false),
        ("last_time_used", "datetime", true),
        ("snapshot_date", "date", false),
        ("voucher_inactive_date", "datetime", true),
        ("template_inactive_date", "datetime", true),
        ("fk_customer", "bigint", true),
        ("used_discount_amount", "decimal(19,4)", false),
        ("times_used", "int", false),
        ("remaining_amount", "decimal(19,4)", false),
    ],
    is_view: true,
};

/// What the shop knows of a voucher today.
pub(in crate::sandbox::data) const VOUCHER: TableDef = TableDef {
    name: [FINREC, "dbo", "StoreCreditVoucher"],
    columns: &[
        ("ID_COMPANY", "varchar(20)", false),
        ("id", "varchar(20)", false),
        ("reason", "nvarchar(100)", true),
        ("updated_at", "datetime", false),
    ],
    is_view: false,
};
