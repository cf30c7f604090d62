-- params
DECLARE @period_end date = '2024-04-30';
DECLARE @company_code varchar(20) = 'EC_NG';
DECLARE @fx_rate decimal(38, 20) = 1650;
-- end
-- One company with its closing rate. Nothing is joined: the rate is looked up by a question of its own. A company with two
-- rates has a row for each, so the rate is asked for too; a company without one has NULL.
SELECT
    co.[Company_Code] AS [company_code],
    co.[Company_Name] AS [company_name],
    co.[Company_Country] AS [company_country],
    CASE
        WHEN co.[Country_Code] = 'US' OR RIGHT(co.[Company_Code], 4) = '_USD' THEN CAST(1 AS decimal(38,20))
        ELSE (
            SELECT MAX(fx.[FX_rate])
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_FX_RATES] AS fx
            WHERE fx.[Country_Code] IN (
                    SELECT own.[Country_Code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS own
                    WHERE own.[Company_Code] = @company_code
                )
                AND fx.[Base_Currency] = 'USD'
                AND fx.[Rate_Type] = 'Closing'
                AND fx.[Year] = YEAR(@period_end)
                AND fx.[Cod_Month] = MONTH(@period_end)
                AND (fx.[FX_rate] = @fx_rate OR @fx_rate IS NULL)
        )
    END AS [fx_rate]
FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
WHERE co.[Company_Code] = @company_code
