-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Sales order items that were delivered and whose cash had not come by the end of the period. One row per company and sales
-- order item; what the carrier reports of the package stands beside each of its items, so amount_expected and amount_received
-- repeat and are never added up. NAV's empty date is no date. A price that is missing stays missing; a discount, a fee or
-- a shipping amount that is missing is none.
SELECT
    soi.[ID_COMPANY],
    soi.[COD_OMS_SALES_ORDER_ITEM],
    soi.[COD_OMS_ID_PACKAGE],
    soi.[PAYMENT_METHOD],
    soi.[IS_MARKETPLACE],
    soi.[ORDER_NR],
    soi.[PACKAGE_NUMBER],
    soi.[VOUCHER_TYPE],
    soi.[BOB_ID_CUSTOMER],
    soi.[ORDER_CREATION_DATE],
    soi.[SHIPPED_DATE],
    soi.[DELIVERED_DATE],
    soi.[PACKAGE_DELIVERY_DATE],
    soi.[IS_PREPAYMENT],
    soi.[MTR_SHIPPING_FEE_MODIFICATION],
    soi.[TRACKING_NUMBER],
    soi.[OMS_PACKAGE_STATUS],
    ct.[Customer_Type_L1] AS [Customer Type],
    pck.[amount_expected],
    pck.[amount_received],
    pck.[fk_package_status],
    pck.[delivered_update_date],
    pck.[delivery_date],
    pck.[fk_collection_partner],
    pck.[last_mile],
    pck.[package_status],
    pck.[payment_method_confirmed],
    pck.[order_nr] AS [package_order_nr],
    pck.[troubleshoot_resolution_date],
    soi.[MTR_AMOUNT_PAID] AS [amount_paid],
    soi.[MTR_PAID_PRICE] AS [paid_price],
    ISNULL(soi.[MTR_BASE_SHIPPING_AMOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
        - ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
        + ISNULL(soi.[MTR_INTERNATIONAL_FREIGHT_FEE], 0)
        - ISNULL(soi.[MTR_INTERNATIONAL_DELIVERY_FEE_CART_RULE], 0) AS [paid_shipping]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = soi.[ID_COMPANY]
LEFT JOIN [STG_AIG_NAV_JUMIA_REC].[OMS].[PACKAGE_CASHREC] AS pck
    ON pck.[ID_COMPANY] = soi.[ID_COMPANY]
    AND pck.[package_nr] = soi.[PACKAGE_NUMBER]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_DIM_BOB_CUSTOMER_TYPE] AS ct
    ON ct.[Bob_Customer_Type] = soi.[BOB_CUSTOMER_TYPE]
WHERE soi.[ORDER_CREATION_DATE] < @next_start
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
    -- predicate: not prepaid
    AND soi.[IS_PREPAYMENT] = 0
    -- end predicate
    -- predicate: with a payment method
    AND soi.[PAYMENT_METHOD] <> 'NoPayment'
    -- end predicate
    -- predicate: delivered since 2019 and before the cutoff
    AND soi.[DELIVERED_DATE] >= '2019-01-01'
    AND soi.[DELIVERED_DATE] < @next_start
    -- end predicate
    -- predicate: not resolved by the cutoff
    AND ISNULL(NULLIF(pck.[troubleshoot_resolution_date], '1753-01-01'), @next_start) >= @next_start
    -- end predicate
