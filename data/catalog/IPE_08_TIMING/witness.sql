-- params
DECLARE @period_end date = '2024-04-30';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @voucher_id varchar(20) = '40000017';
DECLARE @fk_sales_order_item bigint = 1;
-- end
-- One order item by its key. Nothing is joined: the facts of its voucher are asked for by the voucher's number, each by a
-- question of its own, which has one answer also where the shop holds the item twice, so that both rows come.
SELECT
    soi.[ID_COMPANY] AS [id_company],
    (
        SELECT MAX(v.[id])
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
        WHERE v.[ID_COMPANY] = @id_company
            AND v.[id] = @voucher_id
            AND v.[snapshot_date] = @period_end
    ) AS [voucher_id],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [fk_sales_order_item],
    soi.[VOUCHER_CODE] AS [code],
    ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
        + ISNULL(soi.[MTR_MPL_STORECREDIT], 0) + ISNULL(soi.[MTR_RTL_STORECREDIT], 0) AS [amount],
    soi.[ORDER_CREATION_DATE] AS [order_creation_date],
    soi.[DELIVERED_DATE] AS [order_delivery_date],
    soi.[CANCELLATION_DATE] AS [order_cancellation_date],
    soi.[CURRENT_STATUS] AS [order_item_status],
    (
        SELECT MAX(v.[business_use])
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
        WHERE v.[ID_COMPANY] = @id_company
            AND v.[id] = @voucher_id
            AND v.[snapshot_date] = @period_end
    ) AS [business_use],
    (
        SELECT MAX(v.[to_date])
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
        WHERE v.[ID_COMPANY] = @id_company
            AND v.[id] = @voucher_id
            AND v.[snapshot_date] = @period_end
    ) AS [end_date]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
WHERE soi.[ID_COMPANY] = @id_company
    AND soi.[COD_OMS_SALES_ORDER_ITEM] = @fk_sales_order_item
