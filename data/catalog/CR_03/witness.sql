-- params
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @entry_no int = 1;
-- end
-- One general ledger entry by its key. Nothing is joined: its account of the group is looked up by a question of its
-- own, which has one answer also where the ledger holds the key twice, so that both rows come and are counted.
SELECT
    gl.[id_company] AS [id_company],
    gl.[Entry No_] AS [entry_no],
    gl.[Document No_] AS [document_no],
    gl.[Voucher No_] AS [voucher_no],
    gl.[Posting Date] AS [posting_date],
    gl.[Chart of Accounts No_] AS [chart_of_accounts_no],
    (
        SELECT MAX(coa.[Group_COA_Account_no])
        FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_ChartOfAccounts] AS coa
        WHERE coa.[Company_Code] = @id_company
            AND coa.[G/L_Account_No] IN (
                SELECT own.[Chart of Accounts No_]
                FROM [AIG_Nav_DW].[dbo].[G_L Entries] AS own
                WHERE own.[id_company] = @id_company
                    AND own.[Entry No_] = @entry_no
            )
    ) AS [group_coa_account_no],
    gl.[Amount] AS [amount]
FROM [AIG_Nav_DW].[dbo].[G_L Entries] AS gl
WHERE gl.[id_company] = @id_company
    AND gl.[Entry No_] = @entry_no
