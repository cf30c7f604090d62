//! Declarations of the shop's tables. Declarations only.
//!
//! # Source
//! Names as the shop's reports spell them; identifiers are `bigint`, flags `bit`, dates `datetime`, money
//! `decimal(19,4)`. Everything may be null but the identity of a row and the flags and the day that every report counts
//! on: a price too, although the stand-in has them all.

use crate::sandbox::data::table::TableDef;

const FINREC: &str = "AIG_Nav_Jumia_Reconciliation";

/// Sales order items: one row for each, over its whole life.
pub(in crate::sandbox::data) const RPT_SOI: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_SOI"],
    columns: &[
        ("ID_COMPANY", "varchar(20)", false),
        ("COD_OMS_SALES_ORDER_ITEM", "bigint", false),
        ("ID_SALES_ORDER_ITEM", "bigint", true),
        ("COD_OMS_SALES_ORDER", "bigint", true),
        ("ORDER_NR", "varchar(30)", false),
        ("COD_OMS_ID_PACKAGE", "bigint", true),
        ("PACKAGE_NUMBER", "varchar(40)", true),
        ("TRACKING_NUMBER", "varchar(50)", true),
        ("BOB_ID_CUSTOMER", "bigint", true),
        ("BOB_CUSTOMER_TYPE", "varchar(50)", true),
        ("CURRENT_STATUS", "varchar(50)", true),
        ("OMS_PACKAGE_STATUS", "varchar(50)", true),
        ("PAYMENT_METHOD", "varchar(50)", true),
        ("DELIVERY_TYPE", "varchar(50)", true),
        ("VOUCHER_CODE", "varchar(50)", true),
        ("VOUCHER_TYPE", "varchar(50)", true),
        ("IS_PREPAYMENT", "bit", false),
        ("IS_MARKETPLACE", "bit", false),
        ("IS_GLOBAL", "bit", true),
        ("REFUND_COMPLETED", "bit", true),
        ("ORDER_CREATION_DATE", "datetime", false),
        ("FINANCE_VERIFIED_DATE", "datetime", true),
        ("SHIPPED_DATE", "datetime", true),
        ("DELIVERED_DATE", "datetime", true),
        ("PACKAGE_DELIVERY_DATE", "datetime", true),
        ("RETURN_DATE", "datetime", true),
        ("REFUND_DATE", "datetime", true),
        ("FAIL_DATE", "datetime", true),
        ("CANCELLATION_DATE", "datetime", true),
        ("MTR_UNIT_PRICE", "decimal(19,4)", true),
        ("MTR_COUPON_MONEY_VALUE", "decimal(19,4)", true),
        ("MTR_CART_RULE_DISCOUNT", "decimal(19,4)", true),
        ("MTR_PAID_PRICE", "decimal(19,4)", true),
        ("MTR_PRICE_AFTER_DISCOUNT", "decimal(19,4)", true),
        ("MTR_AMOUNT_PAID", "decimal(19,4)", true),
        ("MTR_BASE_SHIPPING_AMOUNT", "decimal(19,4)", true),
        ("MTR_SHIPPING_CART_RULE_DISCOUNT", "decimal(19,4)", true),
        ("MTR_SHIPPING_VOUCHER_DISCOUNT", "decimal(19,4)", true),
        ("MTR_SHIPPING_DISCOUNT_AMOUNT", "decimal(19,4)", true),
        ("MTR_SHIPPING_FEE_MODIFICATION", "decimal(19,4)", true),
        (
            "MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT",
            "decimal(19,4)",
            true,
        ),
        (
            "MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT",
            "decimal(19,4)",
            true,
        ),
        ("MTR_INTERNATIONAL_FREIGHT_FEE", "decimal(19,4)", true),
        (
            "MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE",
            "decimal(19,4)",
            true,
        ),
        ("MTR_SHIPPING_STORECREDIT", "decimal(19,4)", true),
        ("MTR_MPL_STORECREDIT", "decimal(19,4)", true),
        ("MTR_RTL_STORECREDIT", "decimal(19,4)", true),
    ],
    is_view: false,
};

/// Cash of packages, as the carriers and the cash desk see it: one row for each package.
pub(in crate::sandbox::data) const PACKAGE_CASHREC: TableDef = TableDef {
    name: ["STG_AIG_NAV_JUMIA_REC", "OMS", "PACKAGE_CASHREC"],
    columns: &[
        ("ID_COMPANY", "varchar(20)", false),
        ("package_nr", "varchar(40)", false),
        ("order_nr", "varchar(30)", true),
        ("amount_expected", "decimal(19,4)", true),
        ("amount_received", "decimal(19,4)", true),
        ("fk_package_status", "int", true),
        ("delivered_update_date", "datetime", true),
        ("delivery_date", "datetime", true),
        ("fk_collection_partner", "int", true),
        ("last_mile", "varchar(50)", true),
        ("package_status", "varchar(50)", true),
        ("payment_method_confirmed", "varchar(50)", true),
        ("troubleshoot_resolution_date", "datetime", true),
    ],
    is_view: false,
};

/// Refunds for which nobody waits for the goods, with the kind of refund.
pub(in crate::sandbox::data) const REFUND_NO_RETURN: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_REFUND_NO_RETURN"],
    columns: &[
        ("ID_Company", "varchar(20)", false),
        ("OMS_ID_Sales_Order_Item", "bigint", false),
        ("OMS_Type", "varchar(50)", true),
    ],
    is_view: false,
};

/// What the shop's kinds of customers are called in reports; the same for every company.
pub(in crate::sandbox::data) const CUSTOMER_TYPE: TableDef = TableDef {
    name: [FINREC, "dbo", "RPT_DIM_BOB_CUSTOMER_TYPE"],
    columns: &[
        ("Bob_Customer_Type", "varchar(50)", false),
        ("Customer_Type_L1", "varchar(50)", true),
        ("Customer_Type_L2", "varchar(50)", true),
    ],
    is_view: false,
};
