-- params
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @cod_oms_sales_order_item bigint = 1;
-- end
-- One sales order item by its key. Nothing is joined: what the carrier says of its package is looked up by a question of its
-- own, which has one answer also where the shop holds the item twice, so that both rows come and are counted.
SELECT
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    soi.[PAYMENT_METHOD] AS [payment_method],
    soi.[IS_MARKETPLACE] AS [is_marketplace],
    soi.[ORDER_NR] AS [order_nr],
    soi.[PACKAGE_NUMBER] AS [package_number],
    soi.[IS_PREPAYMENT] AS [is_prepayment],
    soi.[DELIVERED_DATE] AS [delivered_date],
    (
        SELECT MAX(pck.[troubleshoot_resolution_date])
        FROM [STG_AIG_NAV_JUMIA_REC].[OMS].[PACKAGE_CASHREC] AS pck
        WHERE pck.[ID_COMPANY] = @id_company
            AND pck.[package_nr] IN (
                SELECT own.[PACKAGE_NUMBER]
                FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS own
                WHERE own.[ID_COMPANY] = @id_company
                    AND own.[COD_OMS_SALES_ORDER_ITEM] = @cod_oms_sales_order_item
            )
    ) AS [troubleshoot_resolution_date],
    soi.[MTR_AMOUNT_PAID] AS [amount_paid],
    soi.[MTR_PAID_PRICE] AS [paid_price],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - (
            ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
            + ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
            + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
            + ISNULL(soi.[MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE], 0)
        ) AS [paid_shipping]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
WHERE soi.[ID_COMPANY] = @id_company
    AND soi.[COD_OMS_SALES_ORDER_ITEM] = @cod_oms_sales_order_item
