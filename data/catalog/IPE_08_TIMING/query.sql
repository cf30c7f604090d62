-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Order items that were paid with a voucher of the stock of @period_end, where the voucher is inactive and still valid and
-- the item was neither delivered nor cancelled before @next_start. One row per company, voucher and order item; Amount is
-- what was used of the voucher on this item. The status of an item is today's: it counts only where no date says more.
SELECT
    v.[ID_COMPANY] AS [ID_Company],
    v.[id] AS [Voucher_ID],
    v.[code] AS [Code],
    ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
        + ISNULL(soi.[MTR_MPL_STORECREDIT], 0) + ISNULL(soi.[MTR_RTL_STORECREDIT], 0) AS [Amount],
    co.[Currency_Code] AS [Currency],
    v.[business_use] AS [Business_Use],
    v.[template_name] AS [Origin],
    CASE WHEN v.[is_active] = 1 THEN 'active' ELSE 'inactive' END AS [Status],
    v.[created_at] AS [Creation_Date],
    v.[from_date] AS [Start_Date],
    v.[to_date] AS [End_Date],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [fk_Sales_Order_Item],
    soi.[ID_SALES_ORDER_ITEM] AS [ID_Sales_Order_Item],
    soi.[ORDER_CREATION_DATE] AS [Order_Creation_Date],
    soi.[DELIVERED_DATE] AS [Order_Delivery_Date],
    soi.[CANCELLATION_DATE] AS [Order_Cancellation_Date],
    soi.[CURRENT_STATUS] AS [Order_Item_Status],
    soi.[PAYMENT_METHOD] AS [Payment_Method],
    v.[fk_customer] AS [fk_Customer],
    soi.[COD_OMS_SALES_ORDER] AS [fk_Sales_Order],
    soi.[ORDER_NR] AS [Order_Nr],
    v.[description] AS [Comment],
    CAST(NULL AS varchar(50)) AS [Wallet_Name]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
    ON v.[ID_COMPANY] = soi.[ID_COMPANY]
    AND v.[code] = soi.[VOUCHER_CODE]
    AND v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
    -- predicate: voucher is inactive
    AND (v.[is_active] = 0 OR v.[is_active] IS NULL)
    -- end predicate
    -- predicate: voucher is still valid
    AND v.[to_date] >= @next_start
    -- end predicate
    -- predicate: item is not finished
    AND (
        soi.[DELIVERED_DATE] IS NULL OR soi.[DELIVERED_DATE] = '1753-01-01'
        OR soi.[DELIVERED_DATE] >= @next_start
    )
    AND (
        soi.[CANCELLATION_DATE] IS NULL OR soi.[CANCELLATION_DATE] = '1753-01-01'
        OR soi.[CANCELLATION_DATE] >= @next_start
    )
    AND (
        soi.[CURRENT_STATUS] IS NULL OR soi.[CURRENT_STATUS] NOT IN ('delivered', 'cancelled', 'closed')
        OR soi.[DELIVERED_DATE] >= @next_start OR soi.[CANCELLATION_DATE] >= @next_start
    )
    -- end predicate
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
