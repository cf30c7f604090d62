-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Every sales order item that was ordered before @next_start, once, with what each predicate of the item says of it. The
-- item has two cases and a row is in one of them; [delivered] counts the rows that would come of one that is in both, were
-- that allowed.
SELECT
    soi.[ID_COMPANY] AS [company],
    soi.[ID_COMPANY] AS [id_company],
    soi.[COD_OMS_SALES_ORDER_ITEM] AS [cod_oms_sales_order_item],
    CASE
        WHEN soi.[is_returned] = 1 AND soi.[is_refunded] = 0 THEN 'Returned not yet refunded'
        ELSE 'Refunded not yet returned'
    END AS [case_type],
    CASE WHEN soi.[is_returned] = 1 AND soi.[is_refunded] = 0 THEN soi.[RETURN_DATE] ELSE soi.[REFUND_DATE] END
        AS [happened],
    CASE WHEN soi.[is_returned] = 1 AND soi.[is_refunded] = 0 THEN -soi.[amount] ELSE soi.[amount] END
        AS [amounttorefund],
    CASE
        WHEN soi.[is_returned] = 1 AND soi.[is_refunded] = 1
            THEN soi.[is_returned_since] + soi.[is_refunded_since] * soi.[is_delivered]
        ELSE 1
    END AS [delivered],
    CASE WHEN soi.[ID_COMPANY] IN ('AT_TN', 'EC_CM') THEN 0 ELSE 1 END AS [keep: company outside Tunisia and Cameroon],
    CASE
        WHEN soi.[is_refunded] = 1 OR soi.[is_returned] = 1 THEN 1 ELSE 0
    END AS [keep: refunded or returned by the cutoff],
    CASE
        WHEN soi.[is_refunded_since] = 1 OR soi.[is_returned_since] = 1 THEN 1 ELSE 0
    END AS [keep: refunded or returned since 2019],
    CASE
        WHEN soi.[is_delivered] = 1 OR soi.[is_refunded] = 0 OR soi.[is_returned_since] = 1 THEN 1 ELSE 0
    END AS [keep: what was refunded had been delivered],
    CASE
        WHEN soi.[is_refunded] = 1 AND soi.[is_returned] = 1 THEN 0 ELSE 1
    END AS [keep: not both by the cutoff]
FROM (
    SELECT
        [ID_COMPANY],
        [COD_OMS_SALES_ORDER_ITEM],
        [RETURN_DATE],
        [REFUND_DATE],
        CASE WHEN [DELIVERED_DATE] > '1753-01-01' AND [DELIVERED_DATE] < @next_start THEN 1 ELSE 0 END AS [is_delivered],
        CASE WHEN [REFUND_DATE] > '1753-01-01' AND [REFUND_DATE] < @next_start THEN 1 ELSE 0 END AS [is_refunded],
        CASE WHEN [REFUND_DATE] >= '2019-01-01' AND [REFUND_DATE] < @next_start THEN 1 ELSE 0 END AS [is_refunded_since],
        CASE WHEN [RETURN_DATE] > '1753-01-01' AND [RETURN_DATE] < @next_start THEN 1 ELSE 0 END AS [is_returned],
        CASE WHEN [RETURN_DATE] >= '2019-01-01' AND [RETURN_DATE] < @next_start THEN 1 ELSE 0 END AS [is_returned_since],
        [MTR_PRICE_AFTER_DISCOUNT] + ISNULL([MTR_BASE_SHIPPING_AMOUNT], 0)
            + ISNULL([MTR_INTERNATIONAL_CUSTOMS_FEE_AMOUNT], 0)
            - ISNULL([MTR_INTERNATIONAL_CUSTOMS_FEE_CART_RULE_DISCOUNT], 0)
            - ISNULL([MTR_SHIPPING_CART_RULE_DISCOUNT], 0)
            - CASE WHEN [VOUCHER_TYPE] = 'coupon' THEN ISNULL([MTR_SHIPPING_VOUCHER_DISCOUNT], 0) ELSE 0 END
            AS [amount]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI]
    WHERE [ORDER_CREATION_DATE] < @next_start
) AS soi
