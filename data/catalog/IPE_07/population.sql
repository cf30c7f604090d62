-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Every customer ledger entry posted before @next_start, once, with what each predicate of the item says of it. The
-- detail is summed here by itself; nothing is joined that could drop or double an entry.
SELECT
    cle.[id_company] AS [company],
    cle.[id_company] AS [id_company],
    cle.[Entry No_] AS [entry_no],
    cle.[Posting Date] AS [posting_date],
    cle.[Customer Posting Group] AS [Customer Posting Group],
    det.[rem_amt_LCY] AS [rem_amt_lcy],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope],
    CASE WHEN det.[id_company] IS NULL THEN 0 ELSE 1 END AS [keep: entry has detail],
    CASE WHEN det.[rem_amt_LCY] = 0 THEN 0 ELSE 1 END AS [keep: detail does not add up to zero]
FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries] AS cle
LEFT JOIN (
    SELECT
        [id_company],
        [Cust_ Ledger Entry No_],
        SUM([Amount (LCY)]) AS [rem_amt_LCY]
    FROM [AIG_Nav_DW].[dbo].[Detailed Customer Ledg_ Entry]
    WHERE [Posting Date] < @next_start
    GROUP BY [id_company], [Cust_ Ledger Entry No_]
) AS det
    ON det.[id_company] = cle.[id_company]
    AND det.[Cust_ Ledger Entry No_] = cle.[Entry No_]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = cle.[id_company]
WHERE cle.[Posting Date] < @next_start
