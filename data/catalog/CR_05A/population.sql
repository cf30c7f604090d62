-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Every rate that began before @next_start, once, with what each predicate of the item says of it.
SELECT
    CAST('JD_DZ' AS varchar(20)) AS [company],
    CAST('JD_DZ' AS varchar(20)) AS [id_company],
    er.[Currency Code] AS [currency_code],
    er.[Starting Date] AS [starting_date],
    YEAR(er.[Starting Date]) AS [year],
    MONTH(er.[Starting Date]) AS [month],
    er.[Relational Exch_ Rate Amount] AS [relational_exch_rate_amount],
    CASE WHEN er.[Starting Date] = @period_end THEN 1 ELSE 0 END AS [keep: of the last day of the period],
    CASE
        WHEN er.[Currency Code] IN ('NGN', 'KES', 'XOF', 'GHS', 'UGX', 'DZD', 'EGP', 'MAD', 'USD') THEN 1 ELSE 0
    END AS [keep: currency of the group]
FROM [D365BC14_DZ].[dbo].[Jade DZ$Currency Exchange Rate] AS er
WHERE er.[Starting Date] < @next_start
