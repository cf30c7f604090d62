-- params
DECLARE @start date = '2011-01-01';
DECLARE @next_start date = '2011-02-01';
-- end
-- Currency rates of the month, one row per currency and day.
SELECT
    c.[CurrencyAlternateKey],
    c.[CurrencyName],
    r.[Date],
    r.[AverageRate],
    r.[EndOfDayRate]
FROM [AdventureWorksDW].[dbo].[FactCurrencyRate] AS r
INNER JOIN [AdventureWorksDW].[dbo].[DimCurrency] AS c
    ON c.[CurrencyKey] = r.[CurrencyKey]
WHERE r.[Date] >= @start
    AND r.[Date] < @next_start
