-- params
DECLARE @year_start date = '2024-01-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- General ledger entries posted since the year began, or dated earlier and entered since then, on the accounts of the
-- reconciliation lines. One row per company and entry number. Not filtered on purpose: company scope
-- (flg_in_conso_scope tells), reversed entries, and entries whose detail adds up to zero, so that the sums of the rows
-- posted in the month are the movement between two balances of CR_04.
SELECT
    gl.[id_company],
    co.[Company_Country],
    co.[Flg_In_Conso_Scope],
    co.[Opco/Central_?],
    gl.[Entry No_],
    gl.[Document No_],
    gl.[External Document No_],
    gl.[Voucher No_],
    gl.[Posting Date],
    gl.[Document Date],
    gl.[Document Type],
    gl.[Chart of Accounts No_],
    coa.[Account_Name],
    coa.[Group_COA_Account_no],
    coa.[Group_COA_Account_Name],
    gl.[Document Description],
    gl.[Amount],
    gl.[Currency Code],
    gl.[Busline Code],
    gl.[Department Code],
    gl.[Bal_ Account Type],
    gl.[Bal_ Account No_],
    gl.[Reason Code],
    gl.[Source Code],
    gl.[Reversed],
    gl.[User ID],
    gl.[G_L Creation Date],
    gl.[Destination Code],
    gl.[Partner Code],
    gl.[System-Created Entry],
    gl.[Source Type],
    gl.[Source No_],
    gl.[IC Partner Code],
    coa.[Level_1_Name],
    coa.[Level_2_Name],
    coa.[Level_3_Name]
FROM [AIG_Nav_DW].[dbo].[G_L Entries] AS gl
INNER JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_ChartOfAccounts] AS coa
    ON coa.[Company_Code] = gl.[id_company]
    AND coa.[G/L_Account_No] = gl.[Chart of Accounts No_]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = gl.[id_company]
WHERE gl.[Posting Date] < @next_start
    -- predicate: posted or entered this year
    AND (gl.[Posting Date] >= @year_start OR gl.[G_L Creation Date] >= @year_start)
    -- end predicate
    -- predicate: account of the reconciliation
    AND coa.[Group_COA_Account_no] IN (
        '13001', '13002', '13003', '13004', '13005', '13009', '13011', '13012', '13024',
        '18304', '18317', '18350', '18397', '18412', '18650', '10590'
    )
    -- end predicate
