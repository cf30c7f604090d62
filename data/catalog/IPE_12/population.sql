-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Every sales order item that was ordered before @next_start, once, with what each predicate of the item says of it. The
-- packages are gathered here by their number, so that one that is reported twice doubles no item.
SELECT
    soi.[ID_COMPANY] AS [company],
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    soi.[DELIVERED_DATE] AS [delivered_date],
    ISNULL(soi.[PAYMENT_METHOD], 'none') AS [PAYMENT_METHOD],
    soi.[MTR_AMOUNT_PAID] AS [amount_paid],
    soi.[MTR_PAID_PRICE] AS [paid_price],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0) - ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE], 0) AS [paid_shipping],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope],
    CASE WHEN soi.[IS_PREPAYMENT] = 0 THEN 1 ELSE 0 END AS [keep: not prepaid],
    CASE WHEN soi.[PAYMENT_METHOD] <> 'NoPayment' THEN 1 ELSE 0 END AS [keep: with a payment method],
    CASE
        WHEN soi.[DELIVERED_DATE] >= '2019-01-01' AND soi.[DELIVERED_DATE] < @next_start THEN 1 ELSE 0
    END AS [keep: delivered since 2019 and before the cutoff],
    CASE
        WHEN pck.[resolved] > '1753-01-01' AND pck.[resolved] < @next_start THEN 0 ELSE 1
    END AS [keep: not resolved by the cutoff]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
LEFT JOIN (
    SELECT
        [ID_COMPANY],
        [package_nr],
        MAX([troubleshoot_resolution_date]) AS [resolved]
    FROM [STG_AIG_NAV_JUMIA_REC].[OMS].[PACKAGE_CASHREC]
    GROUP BY [ID_COMPANY], [package_nr]
) AS pck
    ON pck.[ID_COMPANY] = soi.[ID_COMPANY]
    AND pck.[package_nr] = soi.[PACKAGE_NUMBER]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
