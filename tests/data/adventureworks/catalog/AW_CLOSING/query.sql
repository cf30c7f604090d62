-- params
DECLARE @period_end date = '2011-01-31';
-- end
-- One row an organization whose currency has a rate on the last day of the month.
SELECT
    o.[OrganizationName],
    c.[CurrencyAlternateKey],
    r.[EndOfDayRate]
FROM [AdventureWorksDW].[dbo].[DimOrganization] AS o
INNER JOIN [AdventureWorksDW].[dbo].[DimCurrency] AS c
    ON c.[CurrencyKey] = o.[CurrencyKey]
INNER JOIN [AdventureWorksDW].[dbo].[FactCurrencyRate] AS r
    ON r.[CurrencyKey] = c.[CurrencyKey]
WHERE r.[Date] = @period_end
    -- predicate: not the currency of the report
    AND c.[CurrencyAlternateKey] <> 'USD'
    -- end predicate
