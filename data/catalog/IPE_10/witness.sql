-- params
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @cod_oms_sales_order_item bigint = 1;
-- end
-- One sales order item by its key, its amounts added up again from what was charged and what was taken off.
SELECT
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    soi.[IS_PREPAYMENT] AS [is_prepayment],
    soi.[ORDER_NR] AS [order_nr],
    soi.[IS_MARKETPLACE] AS [is_marketplace],
    soi.[DELIVERY_TYPE] AS [delivery_type],
    soi.[FINANCE_VERIFIED_DATE] AS [finance_verified_date],
    soi.[DELIVERED_DATE] AS [delivered_date],
    soi.[PACKAGE_DELIVERY_DATE] AS [package_delivery_date],
    soi.[REFUND_DATE] AS [refund_date],
    soi.[MTR_UNIT_PRICE]
        - (ISNULL(soi.[MTR_CART_RULE_DISCOUNT], 0) + ISNULL(soi.[MTR_COUPON_MONEY_VALUE], 0)) AS [paid_for_items],
    soi.[MTR_PAID_PRICE] AS [paid_price],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - (
            ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
            + ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
            + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        ) AS [paid_for_shipping]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
WHERE soi.[ID_COMPANY] = @id_company
    AND soi.[COD_OMS_SALES_ORDER_ITEM] = @cod_oms_sales_order_item
