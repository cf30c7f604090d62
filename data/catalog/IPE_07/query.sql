-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Customer ledger entries that are open at the end of the period: everything posted before @next_start whose detail,
-- posted before @next_start, does not add up to zero. One row per company and entry number.
-- Not filtered on purpose: currency, posting group, the customer's balance.
SELECT
    cle.[id_company],
    co.[Company_Country],
    co.[Opco/Central_?],
    cle.[Entry No_],
    cle.[GL Entry No_],
    cle.[Document No_],
    cle.[Document Type],
    cle.[External Document No_],
    cle.[Posting Date],
    cle.[Customer No_],
    cu.[Name] AS [Customer Name],
    cu.[Busline Code] AS [Customer Busline],
    cu.[Automatically integrated],
    cu.[Customer Posting Group] AS [CurrentPostingGroup],
    cle.[Customer Posting Group],
    cle.[Description],
    cle.[Source Code],
    cle.[Reason Code],
    cle.[Busline Code],
    cle.[Department Code],
    cle.[Resp_ Center],
    cle.[Original Amount],
    cle.[Currency],
    cle.[Original Amount (LCY)],
    det.[rem_amt],
    det.[rem_amt_LCY],
    cle.[Open],
    cle.[Due Date],
    cle.[User ID] AS [Posted by],
    cle.[Destination Code],
    cle.[Partner Code],
    cle.[IC Partner Code],
    pg.[Receivables Account],
    coa.[Group_COA_Account_no],
    CASE
        WHEN det.[rem_amt_LCY] < 0 THEN 'Credit'
        WHEN EOMONTH(cle.[Due Date]) = @period_end THEN 'Due Month'
        ELSE 'Debit'
    END AS [Debit_Credit_DueMonth]
FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries] AS cle
INNER JOIN (
    SELECT
        [id_company],
        [Cust_ Ledger Entry No_],
        SUM([Amount]) AS [rem_amt],
        SUM([Amount (LCY)]) AS [rem_amt_LCY]
    FROM [AIG_Nav_DW].[dbo].[Detailed Customer Ledg_ Entry]
    WHERE [Posting Date] < @next_start
    GROUP BY [id_company], [Cust_ Ledger Entry No_]
    -- predicate: detail does not add up to zero
    HAVING SUM([Amount (LCY)]) <> 0
    -- end predicate
) AS det
    ON det.[id_company] = cle.[id_company]
    AND det.[Cust_ Ledger Entry No_] = cle.[Entry No_]
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = cle.[id_company]
LEFT JOIN [AIG_Nav_DW].[dbo].[Customers] AS cu
    ON cu.[id_company] = cle.[id_company]
    AND cu.[No_] = cle.[Customer No_]
LEFT JOIN [AIG_Nav_DW].[dbo].[Customer Posting Group] AS pg
    ON pg.[id_company] = cle.[id_company]
    AND pg.[Code] = cle.[Customer Posting Group]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_ChartOfAccounts] AS coa
    ON coa.[Company_Code] = cle.[id_company]
    AND coa.[G/L_Account_No] = pg.[Receivables Account]
WHERE cle.[Posting Date] < @next_start
    -- predicate: company in consolidation scope
    AND co.[Flg_In_Conso_Scope] = 1
    -- end predicate
