-- params
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @sc_id_transaction bigint = 1;
-- end
-- One transaction by its key. Nothing is joined: the end of its statement and its accounting group are looked up by questions
-- of their own, which have one answer also where the source holds the key twice, so that both rows come and are counted.
SELECT
    t.[ID_Company] AS [id_company],
    t.[SC_ID_Transaction] AS [sc_id_transaction],
    t.[SC_Created_Date] AS [sc_created_date],
    t.[SC_Transaction_Type] AS [sc_transaction_type],
    t.[SC_Transaction_Amount] AS [sc_transaction_amount],
    t.[SC_ID_Account_Statement] AS [sc_id_account_statement],
    (
        SELECT MAX(st.[End_Date])
        FROM [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_ACCOUNTSTATEMENTS] AS st
        WHERE st.[ID_Company] = @id_company
            AND st.[ID_Account_Statement] IN (
                SELECT own.[SC_ID_Account_Statement]
                FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_TRANSACTIONS_SELLER] AS own
                WHERE own.[ID_Company] = @id_company
                    AND own.[SC_ID_Transaction] = @sc_id_transaction
            )
    ) AS [sc_end_date],
    (
        SELECT MAX(asg.[Level_1])
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[GDOC_DIM_ASG_V2] AS asg
        WHERE asg.[ASG_Name] IN (
            SELECT acc.[ASG_Name]
            FROM [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_TRANSACTIONS] AS acc
            WHERE acc.[ID_Company] = @id_company
                AND acc.[ID_Transaction] = @sc_id_transaction
        )
    ) AS [asg_level_1]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_TRANSACTIONS_SELLER] AS t
WHERE t.[ID_Company] = @id_company
    AND t.[SC_ID_Transaction] = @sc_id_transaction
