-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Every sales order item that was ordered before @next_start, once, with what each predicate of the item says of it. A
-- company stands once in the list of companies; were it twice, there would be more rows here than in the table.
SELECT
    soi.[ID_COMPANY] AS [company],
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    soi.[FINANCE_VERIFIED_DATE] AS [finance_verified_date],
    ISNULL(soi.[DELIVERY_TYPE], 'none') AS [DELIVERY_TYPE],
    soi.[MTR_UNIT_PRICE] - ISNULL(soi.[MTR_COUPON_MONEY_VALUE], 0)
        - ISNULL(soi.[MTR_CART_RULE_DISCOUNT], 0) AS [paid_for_items],
    soi.[MTR_PAID_PRICE] AS [paid_price],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0) - ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0) AS [paid_for_shipping],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope],
    CASE WHEN soi.[IS_PREPAYMENT] = 1 THEN 1 ELSE 0 END AS [keep: prepaid],
    CASE WHEN soi.[ORDER_CREATION_DATE] >= '2018-01-01' THEN 1 ELSE 0 END AS [keep: ordered since 2018],
    CASE
        WHEN soi.[FINANCE_VERIFIED_DATE] >= '2018-01-01' AND soi.[FINANCE_VERIFIED_DATE] < @next_start THEN 1 ELSE 0
    END AS [keep: payment verified since 2018 and before the cutoff],
    CASE
        WHEN (soi.[IS_MARKETPLACE] = 1 OR soi.[DELIVERY_TYPE] IN ('Digital Content', 'Gift Card'))
            AND soi.[DELIVERED_DATE] > '1753-01-01' AND soi.[DELIVERED_DATE] < @next_start THEN 0
        WHEN soi.[IS_MARKETPLACE] = 0
            AND (soi.[DELIVERY_TYPE] IS NULL OR soi.[DELIVERY_TYPE] NOT IN ('Digital Content', 'Gift Card'))
            AND soi.[PACKAGE_DELIVERY_DATE] > '1753-01-01' AND soi.[PACKAGE_DELIVERY_DATE] < @next_start THEN 0
        ELSE 1
    END AS [keep: not delivered by the cutoff],
    CASE
        WHEN soi.[REFUND_DATE] > '1753-01-01' AND soi.[REFUND_DATE] < @next_start THEN 0 ELSE 1
    END AS [keep: not refunded by the cutoff]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
