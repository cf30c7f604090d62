-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @cod_oms_sales_order_item bigint = 1;
DECLARE @case_type varchar(25) = 'Refunded not yet returned';
-- end
-- One sales order item by its key, its amount added up again from what was charged and what was taken off. Nothing is joined:
-- the kind of its refund is looked up by a question of its own.
SELECT
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    CASE
        WHEN soi.[REFUND_DATE] > '1753-01-01' AND soi.[REFUND_DATE] < @next_start THEN 'Refunded not yet returned'
        ELSE 'Returned not yet refunded'
    END AS [case_type],
    soi.[IS_MARKETPLACE] AS [is_marketplace],
    soi.[ORDER_NR] AS [order_nr],
    soi.[RETURN_DATE] AS [return_date],
    soi.[REFUND_DATE] AS [refund_date],
    (
        SELECT MAX(rt.[OMS_Type])
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_REFUND_NO_RETURN] AS rt
        WHERE rt.[ID_Company] = @id_company
            AND rt.[OMS_ID_Sales_Order_Item] = @cod_oms_sales_order_item
    ) AS [oms_type],
    CASE WHEN @case_type = 'Refunded not yet returned' THEN 1 ELSE -1 END * (
        soi.[MTR_PRICE_AFTER_DISCOUNT]
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        + ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        - (
            ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
            + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
            + CASE WHEN soi.[VOUCHER_TYPE] = 'coupon' THEN ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) ELSE 0 END
        )
    ) AS [amounttorefund]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
WHERE soi.[ID_COMPANY] = @id_company
    AND soi.[COD_OMS_SALES_ORDER_ITEM] = @cod_oms_sales_order_item
    AND (
        CASE
            WHEN soi.[REFUND_DATE] > '1753-01-01' AND soi.[REFUND_DATE] < @next_start THEN 'Refunded not yet returned'
            ELSE 'Returned not yet refunded'
        END
    ) = @case_type
