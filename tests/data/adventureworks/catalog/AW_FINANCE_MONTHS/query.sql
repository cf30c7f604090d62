-- params
DECLARE @next_start date = '2014-01-01';
-- end
-- Number and sum of the finance facts per scenario and month, of everything before @next_start.
SELECT
    s.[ScenarioName],
    f.[DateKey] / 100 AS [Month],
    COUNT(*) AS [Facts],
    SUM(f.[Amount]) AS [Amount]
FROM [AdventureWorksDW].[dbo].[FactFinance] AS f
INNER JOIN [AdventureWorksDW].[dbo].[DimScenario] AS s
    ON s.[ScenarioKey] = f.[ScenarioKey]
WHERE f.[Date] < @next_start
GROUP BY s.[ScenarioName], f.[DateKey] / 100
