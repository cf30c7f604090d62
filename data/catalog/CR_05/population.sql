-- params
DECLARE @period_end date = '2024-04-30';
-- end
-- Every company, once: none is left out. A company with several rates becomes as many rows of the item, which [delivered]
-- counts, and [fx_rate] is their sum; without a rate it becomes one row with NULL.
SELECT
    co.[Company_Code] AS [company],
    co.[Company_Code] AS [company_code],
    CASE
        WHEN co.[Country_Code] = 'US' OR RIGHT(co.[Company_Code], 4) = '_USD'
            THEN CAST(COALESCE(fx.[rates], 1) AS decimal(38, 20))
        ELSE fx.[FX_rate]
    END AS [fx_rate],
    COALESCE(fx.[rates], 1) AS [delivered]
FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
LEFT JOIN (
    SELECT [Country_Code], COUNT_BIG(*) AS [rates], SUM([FX_rate]) AS [FX_rate]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_FX_RATES]
    WHERE [Base_Currency] = 'USD'
        AND [Rate_Type] = 'Closing'
        AND [Year] = YEAR(@period_end)
        AND [Cod_Month] = MONTH(@period_end)
    GROUP BY [Country_Code]
) AS fx
    ON fx.[Country_Code] = co.[Country_Code]
