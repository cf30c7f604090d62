-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Every order item ordered before @next_start, once, with what each predicate of the item says of it and of its voucher. The
-- stock of @period_end has a code of a company once; were it twice, there would be more rows here than order items.
SELECT
    soi.[ID_COMPANY] AS [company],
    soi.[ID_COMPANY] AS [id_company],
    v.[id] AS [voucher_id],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [fk_sales_order_item],
    soi.[ORDER_CREATION_DATE] AS [order_creation_date],
    ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
        + ISNULL(soi.[MTR_MPL_STORECREDIT], 0) + ISNULL(soi.[MTR_RTL_STORECREDIT], 0) AS [amount],
    CASE WHEN v.[id] IS NULL THEN 0 ELSE 1 END AS [keep: paid with a voucher of the stock],
    CASE WHEN v.[is_active] <> 0 THEN 0 ELSE 1 END AS [keep: voucher is inactive],
    CASE WHEN v.[to_date] < @next_start THEN 0 ELSE 1 END AS [keep: voucher is still valid],
    CASE
        WHEN soi.[DELIVERED_DATE] <> '1753-01-01' AND soi.[DELIVERED_DATE] < @next_start THEN 0
        WHEN soi.[CANCELLATION_DATE] <> '1753-01-01' AND soi.[CANCELLATION_DATE] < @next_start THEN 0
        WHEN soi.[DELIVERED_DATE] >= @next_start OR soi.[CANCELLATION_DATE] >= @next_start THEN 1
        WHEN soi.[CURRENT_STATUS] IN ('delivered', 'cancelled', 'closed') THEN 0
        ELSE 1
    END AS [keep: item is not finished],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
    ON v.[ID_COMPANY] = soi.[ID_COMPANY]
    AND v.[code] = soi.[VOUCHER_CODE]
    AND v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
