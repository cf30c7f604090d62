-- params
DECLARE @period_end date = '2024-04-30';
DECLARE @id_company varchar(20) = 'JD_DZ';
DECLARE @currency_code varchar(10) = 'USD';
DECLARE @starting_date datetime = '2024-04-30';
-- end
-- One rate by its key.
SELECT
    CAST('JD_DZ' AS varchar(20)) AS [id_company],
    er.[Currency Code] AS [currency_code],
    er.[Starting Date] AS [starting_date],
    YEAR(er.[Starting Date]) AS [year],
    MONTH(er.[Starting Date]) AS [month],
    er.[Relational Exch_ Rate Amount] AS [relational_exch_rate_amount]
FROM [D365BC14_DZ].[dbo].[Jade DZ$Currency Exchange Rate] AS er
WHERE @id_company = 'JD_DZ'
    AND er.[Currency Code] = @currency_code
    AND er.[Starting Date] = @period_end
    AND er.[Starting Date] = @starting_date
