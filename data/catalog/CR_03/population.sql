-- params
DECLARE @year_start date = '2024-01-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- Every general ledger entry posted before @next_start, once, with what each predicate of the item says of it, and with its
-- account where the reconciliation has it. The chart of accounts has an account of a company once; were it twice, there
-- would be more rows here than in the ledger.
SELECT
    gl.[id_company] AS [company],
    gl.[id_company] AS [id_company],
    gl.[Entry No_] AS [entry_no],
    gl.[Posting Date] AS [posting_date],
    gl.[Amount] AS [amount],
    CASE WHEN coa.[Group_COA_Account_no] IN (
        '13001', '13002', '13003', '13004', '13005', '13009', '13011', '13012', '13024',
        '18304', '18317', '18350', '18397', '18412', '18650', '10590'
    ) THEN coa.[Group_COA_Account_no] ELSE 'other' END AS [reconciled_account],
    CASE
        WHEN gl.[Posting Date] >= @year_start OR gl.[G_L Creation Date] >= @year_start THEN 1 ELSE 0
    END AS [keep: posted or entered this year],
    CASE WHEN coa.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: account is in the chart],
    CASE WHEN coa.[Group_COA_Account_no] IN (
        '13001', '13002', '13003', '13004', '13005', '13009', '13011', '13012', '13024',
        '18304', '18317', '18350', '18397', '18412', '18650', '10590'
    ) THEN 1 ELSE 0 END AS [keep: account of the reconciliation]
FROM [AIG_Nav_DW].[dbo].[G_L Entries] AS gl
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_ChartOfAccounts] AS coa
    ON coa.[Company_Code] = gl.[id_company]
    AND coa.[G/L_Account_No] = gl.[Chart of Accounts No_]
WHERE gl.[Posting Date] < @next_start
