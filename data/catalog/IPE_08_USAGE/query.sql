-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- What was used of store credit vouchers, by the month in which the package was delivered. One row per company, voucher and
-- month (yyyymm): order items that were paid by reusable credit and delivered before @next_start, summed before they are
-- joined to the stock of @period_end.
SELECT
    v.[ID_COMPANY] AS [id_company],
    v.[id],
    used.[voucher_type],
    v.[business_use],
    YEAR(v.[created_at]) AS [creation_year],
    used.[delivery_mth],
    CAST(used.[shipping_storecredit] AS decimal(19, 4)) AS [shipping_storecredit],
    CAST(used.[mpl_storecredit] AS decimal(19, 4)) AS [mpl_storecredit],
    CAST(used.[rtl_storecredit] AS decimal(19, 4)) AS [rtl_storecredit],
    CAST(used.[total] AS decimal(19, 4)) AS [TotalAmountUsed]
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
WHERE v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
