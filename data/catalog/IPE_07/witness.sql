-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @entry_no int = 1;
-- end
-- One customer ledger entry by its key. Nothing is joined: its remaining amounts are summed again from the detail, and the
-- account is looked up from the entry's posting group, each by a question of its own. Each such question has one answer
-- also where the ledger holds the key twice, so that both rows come and are counted.
SELECT
    cle.[id_company] AS [id_company],
    cle.[Entry No_] AS [entry_no],
    cle.[GL Entry No_] AS [gl_entry_no],
    cle.[Document No_] AS [document_no],
    cle.[Posting Date] AS [posting_date],
    cle.[Customer No_] AS [customer_no],
    cle.[Customer Posting Group] AS [customer_posting_group],
    cle.[Original Amount] AS [original_amount],
    cle.[Currency] AS [currency],
    cle.[Original Amount (LCY)] AS [original_amount_lcy],
    (
        SELECT SUM(det.[Amount])
        FROM [AIG_Nav_DW].[dbo].[Detailed Customer Ledg_ Entry] AS det
        WHERE det.[id_company] = @id_company
            AND det.[Cust_ Ledger Entry No_] = @entry_no
            AND det.[Posting Date] < @next_start
    ) AS [rem_amt],
    (
        SELECT SUM(det.[Amount (LCY)])
        FROM [AIG_Nav_DW].[dbo].[Detailed Customer Ledg_ Entry] AS det
        WHERE det.[id_company] = @id_company
            AND det.[Cust_ Ledger Entry No_] = @entry_no
            AND det.[Posting Date] < @next_start
    ) AS [rem_amt_lcy],
    (
        SELECT MAX(coa.[Group_COA_Account_no])
        FROM [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_ChartOfAccounts] AS coa
        WHERE coa.[Company_Code] = @id_company
            AND coa.[G/L_Account_No] IN (
                SELECT pg.[Receivables Account]
                FROM [AIG_Nav_DW].[dbo].[Customer Posting Group] AS pg
                WHERE pg.[id_company] = @id_company
                    AND pg.[Code] IN (
                        SELECT own.[Customer Posting Group]
                        FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries] AS own
                        WHERE own.[id_company] = @id_company
                            AND own.[Entry No_] = @entry_no
                    )
            )
    ) AS [group_coa_account_no]
FROM [AIG_Nav_DW].[dbo].[Customer Ledger Entries] AS cle
WHERE cle.[id_company] = @id_company
    AND cle.[Entry No_] = @entry_no
