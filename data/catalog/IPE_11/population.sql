-- params
DECLARE @start date = '2024-04-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- Every transaction that was created before @next_start, once, with what each predicate of the item says of it. A transaction
-- has one row of accounting, and a statement and a group one row; were one twice, there would be more rows here than there.
SELECT
    t.[ID_Company] AS [company],
    t.[ID_Company] AS [id_company],
    t.[SC_ID_Transaction] AS [sc_id_transaction],
    t.[SC_Created_Date] AS [sc_created_date],
    acc.[ASG_Name] AS [sc_asg_name],
    t.[SC_Transaction_Amount] AS [sc_transaction_amount],
    CASE WHEN t.[SC_Created_Date] < @start THEN 0 ELSE 1 END AS [keep: created in the month],
    CASE WHEN asg.[Level_1] = 'Revenues' THEN 1 ELSE 0 END AS [keep: a revenue],
    CASE
        WHEN st.[End_Date] > '1753-01-01' AND st.[End_Date] < @next_start THEN 0 ELSE 1
    END AS [keep: not settled before the cutoff]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_TRANSACTIONS_SELLER] AS t
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_TRANSACTIONS] AS acc
    ON acc.[ID_Company] = t.[ID_Company]
    AND acc.[ID_Transaction] = t.[SC_ID_Transaction]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[GDOC_DIM_ASG_V2] AS asg
    ON asg.[ASG_Name] = acc.[ASG_Name]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_ACCOUNTSTATEMENTS] AS st
    ON st.[ID_Company] = t.[ID_Company]
    AND st.[ID_Account_Statement] = t.[SC_ID_Account_Statement]
WHERE t.[SC_Created_Date] < @next_start
