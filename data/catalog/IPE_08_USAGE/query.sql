-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- What was used of store credit vouchers, by the month in which the package was delivered. One row per company, voucher and
-- month (yyyymm): order items that were paid by reusable credit and delivered before @next_start, summed before they are
-- joined to the stock of @period_end. Of a code that several vouchers of the stock share the amounts stay empty, for nobody
-- knows of which it was used.
SELECT
    v.[ID_COMPANY] AS [id_company],
    v.[id],
    used.[voucher_type],
    v.[business_use],
    YEAR(v.[created_at]) AS [creation_year],
    used.[delivery_mth],
    CASE WHEN twin.[code] IS NULL THEN CAST(used.[shipping_storecredit] AS decimal(19, 4)) END AS [shipping_storecredit],
    CASE WHEN twin.[code] IS NULL THEN CAST(used.[mpl_storecredit] AS decimal(19, 4)) END AS [mpl_storecredit],
    CASE WHEN twin.[code] IS NULL THEN CAST(used.[rtl_storecredit] AS decimal(19, 4)) END AS [rtl_storecredit],
    CASE WHEN twin.[code] IS NULL THEN CAST(used.[total] AS decimal(19, 4)) END AS [TotalAmountUsed]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = v.[ID_COMPANY]
INNER JOIN (
    SELECT
        soi.[ID_COMPANY],
        soi.[VOUCHER_CODE],
        MAX(soi.[VOUCHER_TYPE]) AS [voucher_type],
        YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) AS [delivery_mth],
        SUM(ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)) AS [shipping_storecredit],
        SUM(ISNULL(soi.[MTR_MPL_STORECREDIT], 0)) AS [mpl_storecredit],
        SUM(ISNULL(soi.[MTR_RTL_STORECREDIT], 0)) AS [rtl_storecredit],
        SUM(
            ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0) + ISNULL(soi.[MTR_MPL_STORECREDIT], 0)
            + ISNULL(soi.[MTR_RTL_STORECREDIT], 0)
        ) AS [total]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
    WHERE soi.[VOUCHER_TYPE] = 'reusablecredit'
        AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
        AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
        AND soi.[VOUCHER_CODE] IS NOT NULL
    GROUP BY
        soi.[ID_COMPANY],
        soi.[VOUCHER_CODE],
        YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE])
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
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
