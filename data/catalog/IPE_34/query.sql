-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Refunds that run ahead of the goods, and goods that run ahead of the refund, by the end of the period. One row per company,
-- sales order item and case; no item is in both cases. What was returned and is not refunded is owed to the customer and
-- stands with a minus. Not filtered on purpose: marketplace or retail. NAV's empty date is no date. A price that is missing
-- stays missing; a discount, a fee or a shipping amount that is missing is none.
SELECT
    soi.[ID_COMPANY],
    soi.[COD_OMS_SALES_ORDER_ITEM],
    soi.[CURRENT_STATUS],
    'Refunded not yet returned' AS [Case_Type],
    soi.[IS_MARKETPLACE],
    soi.[ORDER_NR],
    soi.[BOB_ID_CUSTOMER],
    soi.[RETURN_DATE],
    soi.[IS_GLOBAL],
    soi.[FINANCE_VERIFIED_DATE],
    soi.[REFUND_DATE],
    rt.[OMS_Type],
    ct.[Customer_Type_L1],
    soi.[MTR_PRICE_AFTER_DISCOUNT]
        + ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        - CASE WHEN soi.[VOUCHER_TYPE] = 'coupon' THEN ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) ELSE 0 END
        AS [AmountToRefund]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_REFUND_NO_RETURN] AS rt
    ON rt.[ID_Company] = soi.[ID_COMPANY]
    AND rt.[OMS_ID_Sales_Order_Item] = soi.[COD_OMS_SALES_ORDER_ITEM]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_DIM_BOB_CUSTOMER_TYPE] AS ct
    ON ct.[Bob_Customer_Type] = soi.[BOB_CUSTOMER_TYPE]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
    AND soi.[REFUND_DATE] > '1753-01-01'
    AND soi.[REFUND_DATE] < @next_start
    -- predicate: company outside Tunisia and Cameroon
    AND soi.[ID_COMPANY] NOT IN ('AT_TN', 'EC_CM')
    -- end predicate
    -- predicate: refunded or returned since 2019
    AND soi.[REFUND_DATE] >= '2019-01-01'
    -- end predicate
    -- predicate: what was refunded had been delivered
    AND soi.[DELIVERED_DATE] > '1753-01-01'
    AND soi.[DELIVERED_DATE] < @next_start
    -- end predicate
    -- predicate: not both by the cutoff
    AND ISNULL(NULLIF(soi.[RETURN_DATE], '1753-01-01'), @next_start) >= @next_start
    -- end predicate
UNION ALL
SELECT
    soi.[ID_COMPANY],
    soi.[COD_OMS_SALES_ORDER_ITEM],
    soi.[CURRENT_STATUS],
    'Returned not yet refunded' AS [Case_Type],
    soi.[IS_MARKETPLACE],
    soi.[ORDER_NR],
    soi.[BOB_ID_CUSTOMER],
    soi.[RETURN_DATE],
    soi.[IS_GLOBAL],
    soi.[FINANCE_VERIFIED_DATE],
    soi.[REFUND_DATE],
    rt.[OMS_Type],
    ct.[Customer_Type_L1],
    CASE WHEN soi.[VOUCHER_TYPE] = 'coupon' THEN ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) ELSE 0 END
        + ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        - soi.[MTR_PRICE_AFTER_DISCOUNT] AS [AmountToRefund]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_REFUND_NO_RETURN] AS rt
    ON rt.[ID_Company] = soi.[ID_COMPANY]
    AND rt.[OMS_ID_Sales_Order_Item] = soi.[COD_OMS_SALES_ORDER_ITEM]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_DIM_BOB_CUSTOMER_TYPE] AS ct
    ON ct.[Bob_Customer_Type] = soi.[BOB_CUSTOMER_TYPE]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
    AND soi.[RETURN_DATE] > '1753-01-01'
    AND soi.[RETURN_DATE] < @next_start
    -- predicate: company outside Tunisia and Cameroon
    AND soi.[ID_COMPANY] NOT IN ('AT_TN', 'EC_CM')
    -- end predicate
    -- predicate: refunded or returned since 2019
    AND soi.[RETURN_DATE] >= '2019-01-01'
    -- end predicate
    -- predicate: not both by the cutoff
    AND ISNULL(NULLIF(soi.[REFUND_DATE], '1753-01-01'), @next_start) >= @next_start
    -- end predicate
