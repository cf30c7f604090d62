-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Every voucher that the stock of @period_end has and that was created before @next_start, once, with what each predicate
-- of the item says of it. A voucher that was used in several months becomes as many rows of the item, which [delivered]
-- counts; its amounts here are their sums, and [delivery_mth] is the last of them. [join_by_code] is the audit of the join by
-- which the item gets what was used: whether the code names this voucher alone.
SELECT
    v.[ID_COMPANY] AS [company],
    v.[ID_COMPANY] AS [id_company],
    v.[id] AS [id],
    used.[delivery_mth] AS [delivery_mth],
    v.[business_use] AS [business_use],
    v.[created_at] AS [created_at],
    CASE WHEN twin.[code] IS NULL THEN used.[total] END AS [totalamountused],
    CASE
        WHEN used.[months] IS NULL THEN 'not used'
        WHEN twin.[code] IS NOT NULL THEN 'several vouchers'
        ELSE 'one voucher'
    END AS [join_by_code],
    COALESCE(used.[months], 0) AS [delivered],
    CASE WHEN used.[months] IS NULL THEN 0 ELSE 1 END AS [keep: used in a delivered order],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
LEFT JOIN (
    SELECT
        mth.[ID_COMPANY],
        mth.[VOUCHER_CODE],
        COUNT_BIG(*) AS [months],
        MAX(mth.[delivery_mth]) AS [delivery_mth],
        SUM(mth.[total]) AS [total]
    FROM (
        SELECT
            soi.[ID_COMPANY],
            soi.[VOUCHER_CODE],
            YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) AS [delivery_mth],
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
    ) AS mth
    GROUP BY mth.[ID_COMPANY], mth.[VOUCHER_CODE]
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
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = v.[ID_COMPANY]
WHERE v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
