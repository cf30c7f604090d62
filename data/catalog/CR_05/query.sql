-- params
DECLARE @period_end date = '2024-04-30';
-- end
-- Closing rate of every company at the end of the period: local currency per US dollar. A company that keeps its books in
-- US dollars has the rate 1 by definition; a company without a rate stays in the result with NULL, and one with two rates
-- has two rows: neither is decided here.
SELECT
    co.[Company_Code],
    co.[Company_Name],
    co.[Opco/Central_?],
    co.[Company_Country],
    co.[Is_Active?],
    fx.[Rate_Type],
    fx.[Year],
    fx.[Cod_Month],
    CASE
        WHEN co.[Country_Code] = 'US' OR RIGHT(co.[Company_Code], 4) = '_USD' THEN CAST(1 AS decimal(38, 20))
        ELSE fx.[FX_rate]
    END AS [FX_rate],
    ct.[Country_Name]
FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Country] AS ct
    ON ct.[Country_Code] = co.[Country_Code]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_FX_RATES] AS fx
    ON fx.[Country_Code] = co.[Country_Code]
    AND fx.[Base_Currency] = 'USD'
    AND fx.[Rate_Type] = 'Closing'
    AND fx.[Year] = YEAR(@period_end)
    AND fx.[Cod_Month] = MONTH(@period_end)
