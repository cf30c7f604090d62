-- params
DECLARE @start date = '2024-04-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- Payments of the month, one row each.
SELECT
    p.[PaymentNo],
    p.[Company],
    p.[PaidOn],
    p.[Amount],
    p.[Currency],
    p.[Customer],
    p.[Memo]
FROM [Shop].[dbo].[Payments] AS p
WHERE p.[PaidOn] >= @start
    AND p.[PaidOn] < @next_start
