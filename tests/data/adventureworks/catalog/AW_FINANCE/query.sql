-- params
DECLARE @start date = '2011-01-01';
DECLARE @next_start date = '2011-02-01';
-- end
-- Finance facts of the month with the names of their dimensions, one row each.
SELECT
    f.[FinanceKey],
    s.[ScenarioName],
    f.[Date],
    o.[OrganizationName],
    c.[CurrencyAlternateKey],
    g.[DepartmentGroupName],
    a.[AccountCodeAlternateKey],
    a.[AccountDescription],
    p.[AccountDescription] AS [ParentAccount],
    a.[AccountType],
    f.[Amount]
FROM [AdventureWorksDW].[dbo].[FactFinance] AS f
INNER JOIN [AdventureWorksDW].[dbo].[DimScenario] AS s
    ON s.[ScenarioKey] = f.[ScenarioKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimOrganization] AS o
    ON o.[OrganizationKey] = f.[OrganizationKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimCurrency] AS c
    ON c.[CurrencyKey] = o.[CurrencyKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimDepartmentGroup] AS g
    ON g.[DepartmentGroupKey] = f.[DepartmentGroupKey]
INNER JOIN [AdventureWorksDW].[dbo].[DimAccount] AS a
    ON a.[AccountKey] = f.[AccountKey]
LEFT JOIN [AdventureWorksDW].[dbo].[DimAccount] AS p
    ON p.[AccountKey] = a.[ParentAccountKey]
WHERE f.[Date] >= @start
    AND f.[Date] < @next_start
