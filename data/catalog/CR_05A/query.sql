-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Rates of the currencies that the group needs, as the Algerian company's system has them on the last day of the period. The
-- system is that company's alone, so its table names none; the company is written here.
SELECT
    CAST('JD_DZ' AS varchar(20)) AS [ID_Company],
    er.[Currency Code],
    er.[Starting Date],
    YEAR(er.[Starting Date]) AS [year],
    MONTH(er.[Starting Date]) AS [month],
    er.[Relational Exch_ Rate Amount]
FROM [D365BC14_DZ].[dbo].[Jade DZ$Currency Exchange Rate] AS er
WHERE er.[Starting Date] < @next_start
    -- predicate: of the last day of the period
    AND er.[Starting Date] = @period_end
    -- end predicate
    -- predicate: currency of the group
    AND er.[Currency Code] IN ('NGN', 'KES', 'XOF', 'GHS', 'UGX', 'DZD', 'EGP', 'MAD', 'USD')
    -- end predicate
