-- params
DECLARE @start date = '2011-01-01';
DECLARE @next_start date = '2011-02-01';
-- end
-- Budget of the month, one row a fact.
SELECT
    f.[FinanceKey],
    o.[OrganizationName],
    CAST(a.[AccountCodeAlternateKey] AS varchar(10)) AS [AccountNo],
    f.[Date],
    f.[Amount]
FROM [AdventureWorksDW].[dbo].[FactFinance] AS f
INNER JOIN [AdventureWorksDW].[dbo].[DimScenario] AS s
    ON s.[ScenarioKey] = f.[ScenarioKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimOrganization] AS o
    ON o.[OrganizationKey] = f.[OrganizationKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimAccount] AS a
    ON a.[AccountKey] = f.[AccountKey]
WHERE f.[Date] >= @start
    AND f.[Date] < @next_start
    -- predicate: scenario
    AND s.[ScenarioName] = 'Budget'
    -- end predicate
