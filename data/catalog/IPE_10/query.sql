-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Sales order items that customers have paid in advance and that were neither delivered nor refunded by the end of the
-- period. One row per company and sales order item. A package of retail counts as delivered when it arrives as a whole; what
-- has no package, and what the marketplace sells, when the item does. NAV's empty date is no date. A price that is
-- missing stays missing; a discount, a fee or a shipping amount that is missing is none.
SELECT
    soi.[ID_COMPANY],
    soi.[IS_PREPAYMENT],
    soi.[COD_OMS_SALES_ORDER_ITEM],
    soi.[ORDER_NR],
    soi.[BOB_ID_CUSTOMER],
    soi.[CURRENT_STATUS],
    CASE WHEN soi.[CURRENT_STATUS] = 'closed' THEN 1 ELSE 0 END AS [IS_CLOSED],
    soi.[IS_MARKETPLACE],
    soi.[PAYMENT_METHOD],
    soi.[DELIVERY_TYPE],
    soi.[ORDER_CREATION_DATE],
    soi.[FINANCE_VERIFIED_DATE],
    soi.[DELIVERED_DATE],
    soi.[PACKAGE_DELIVERY_DATE],
    soi.[REFUND_COMPLETED],
    soi.[REFUND_DATE],
    soi.[FAIL_DATE],
    soi.[MTR_UNIT_PRICE]
        - ISNULL(soi.[MTR_COUPON_MONEY_VALUE], 0)
        - ISNULL(soi.[MTR_CART_RULE_DISCOUNT], 0) AS [PAID_FOR_ITEMS],
    soi.[MTR_PAID_PRICE] AS [PAID_PRICE],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0) AS [PAID_FOR_SHIPPING]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
    -- predicate: prepaid
    AND soi.[IS_PREPAYMENT] = 1
    -- end predicate
    -- predicate: ordered since 2018
    AND soi.[ORDER_CREATION_DATE] >= '2018-01-01'
    -- end predicate
    -- predicate: payment verified since 2018 and before the cutoff
    AND soi.[FINANCE_VERIFIED_DATE] >= '2018-01-01'
    AND soi.[FINANCE_VERIFIED_DATE] < @next_start
    -- end predicate
    -- predicate: not delivered by the cutoff
    AND ISNULL(NULLIF(CASE
        WHEN soi.[IS_MARKETPLACE] = 1 THEN soi.[DELIVERED_DATE]
        WHEN soi.[DELIVERY_TYPE] IN ('Digital Content', 'Gift Card') THEN soi.[DELIVERED_DATE]
        ELSE soi.[PACKAGE_DELIVERY_DATE]
    END, '1753-01-01'), @next_start) >= @next_start
    -- end predicate
    -- predicate: not refunded by the cutoff
    AND ISNULL(NULLIF(soi.[REFUND_DATE], '1753-01-01'), @next_start) >= @next_start
    -- end predicate
