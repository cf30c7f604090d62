-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Store credit vouchers as the stock of @period_end has them, created from 2017 on and before @next_start, with what was
-- used of each in orders delivered before @next_start. One row per company and voucher: usage is summed before it is
-- joined, so that a voucher of two types stays one row. What was used is known by the code alone: of a code that was used and
-- that several vouchers of the stock share it stays empty, for nobody knows of which. A code that nobody used is a zero of
-- each. Months are written yyyy-mm. NAV's empty date is no date.
-- Not filtered on purpose: business use, whether active, whether valid; the reconciliation contract chooses.
SELECT
    v.[ID_COMPANY] AS [id_company],
    v.[id],
    v.[business_use],
    CASE
        WHEN v.[business_use] <> 'jpay_store_credit' THEN v.[business_use]
        WHEN LEFT(v.[code], 2) = 'GC' THEN 'jpay_store_credit_gc'
        WHEN LEFT(v.[code], 2) = 'JP' THEN 'jpay_store_credit_jp'
        ELSE CONCAT(v.[business_use], '_other')
    END AS [business_use_formatted],
    v.[template_id],
    v.[template_name],
    v.[description],
    v.[is_active],
    v.[type],
    v.[template_status],
    v.[discount_amount],
    v.[from_date],
    v.[to_date],
    CONVERT(varchar(7), v.[to_date], 120) AS [expiration_ym],
    CASE WHEN v.[to_date] < @next_start THEN 'expired' ELSE 'valid' END AS [is_valid],
    v.[created_at],
    CONVERT(varchar(7), v.[created_at], 120) AS [creation_ym],
    CONVERT(varchar(7), scv.[updated_at], 120) AS [last_update_ym],
    v.[last_time_used],
    v.[snapshot_date],
    v.[voucher_inactive_date],
    v.[template_inactive_date],
    CONVERT(varchar(7), v.[voucher_inactive_date], 120) AS [codeinactive_ym],
    CONVERT(varchar(7), v.[template_inactive_date], 120) AS [templateinactive_ym],
    scv.[reason],
    scv.[updated_at],
    v.[fk_customer],
    v.[used_discount_amount],
    v.[times_used],
    v.[remaining_amount],
    CASE WHEN used.[first_type] = used.[last_type] THEN used.[first_type] ELSE 'several' END AS [voucher_type],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[shipping_discount] AS decimal(19, 4)), 0)
    END AS [shipping_discount],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[shipping_storecredit] AS decimal(19, 4)), 0)
    END AS [shipping_storecredit],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[mpl_storecredit] AS decimal(19, 4)), 0)
    END AS [mpl_storecredit],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[rtl_storecredit] AS decimal(19, 4)), 0)
    END AS [rtl_storecredit],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[total] AS decimal(19, 4)), 0)
    END AS [TotalAmountUsed],
    v.[discount_amount] - CASE
        WHEN used.[VOUCHER_CODE] IS NULL OR twin.[code] IS NULL
            THEN ISNULL(CAST(used.[total] AS decimal(19, 4)), 0)
    END AS [TotalRemainingAmount],
    CASE
        WHEN v.[voucher_inactive_date] > '1753-01-01'
            AND v.[voucher_inactive_date]
                <= ISNULL(NULLIF(v.[template_inactive_date], '1753-01-01'), v.[voucher_inactive_date])
            AND v.[voucher_inactive_date] <= v.[to_date] THEN v.[voucher_inactive_date]
        WHEN v.[template_inactive_date] > '1753-01-01'
            AND v.[template_inactive_date] <= v.[to_date] THEN v.[template_inactive_date]
        ELSE v.[to_date]
    END AS [min_inactive_date]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = v.[ID_COMPANY]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[StoreCreditVoucher] AS scv
    ON scv.[ID_COMPANY] = v.[ID_COMPANY]
    AND scv.[id] = v.[id]
LEFT JOIN (
    SELECT
        soi.[ID_COMPANY],
        soi.[VOUCHER_CODE],
        MIN(soi.[VOUCHER_TYPE]) AS [first_type],
        MAX(soi.[VOUCHER_TYPE]) AS [last_type],
        SUM(ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)) AS [shipping_discount],
        SUM(ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)) AS [shipping_storecredit],
        SUM(ISNULL(soi.[MTR_MPL_STORECREDIT], 0)) AS [mpl_storecredit],
        SUM(ISNULL(soi.[MTR_RTL_STORECREDIT], 0)) AS [rtl_storecredit],
        SUM(
            ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0) + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
            + ISNULL(soi.[MTR_MPL_STORECREDIT], 0) + ISNULL(soi.[MTR_RTL_STORECREDIT], 0)
        ) AS [total]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
    WHERE soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
        AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
        AND soi.[VOUCHER_CODE] IS NOT NULL
    GROUP BY soi.[ID_COMPANY], soi.[VOUCHER_CODE]
) AS used
    ON used.[ID_COMPANY] = v.[ID_COMPANY]
    AND used.[VOUCHER_CODE] = v.[code]
LEFT JOIN (
    SELECT [ID_COMPANY], [code]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING]
    WHERE [snapshot_date] = @period_end
    GROUP BY [ID_COMPANY], [code]
    HAVING COUNT_BIG(*) > 1
) AS twin
    ON twin.[ID_COMPANY] = v.[ID_COMPANY]
    AND twin.[code] = v.[code]
WHERE v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
    -- predicate: created from 2017 on
    AND v.[created_at] >= '2017-01-01'
    -- end predicate
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
