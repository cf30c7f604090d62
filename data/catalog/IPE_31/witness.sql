-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @branch varchar(20) = 'Transaction';
DECLARE @transaction_id bigint = 1;
DECLARE @occurrence_no int = 1;
-- end
-- One open collection by its key: each branch is asked in its own table, and only the one that the key names has rows.
-- Nothing is joined, and no row is gathered: two of one key are two rows.
SELECT
    t.[ID_Company] AS [id_company],
    CAST('Transaction' AS varchar(20)) AS [branch],
    t.[ID_Transaction] AS [transaction_id],
    1 AS [occurrence_no],
    CASE
        WHEN t.[Transaction_Type] = 'Transfer to' OR t.[Transaction_Type] = 'Transfer From' THEN t.[Payment_Date]
        WHEN t.[Transaction_Type] LIKE '%Rev' THEN t.[Reversal_Date]
        ELSE t.[Created_Date]
    END AS [event_date],
    t.[Transaction_Type] AS [transaction_type],
    t.[Related_Entity] AS [related_entity],
    t.[Amount] AS [amount]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_TRANSACTION] AS t
WHERE t.[ID_Company] = @id_company
    AND @branch = 'Transaction'
    AND t.[ID_Transaction] = @transaction_id
    AND @occurrence_no = 1
UNION ALL
SELECT
    r.[ID_Company],
    CAST('Reallocation' AS varchar(20)),
    r.[ID_Transaction],
    r.[Line_No],
    r.[Reallocation_Date],
    CAST('Reallocation From' AS varchar(30)),
    r.[Related_Entity],
    r.[Amount]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_REALLOCATIONS] AS r
WHERE r.[ID_Company] = @id_company
    AND @branch = 'Reallocation'
    AND r.[ID_Transaction] = @transaction_id
    AND r.[Line_No] = @occurrence_no
UNION ALL
SELECT
    l.[ID_Company],
    CAST('Transaction list' AS varchar(20)),
    l.[ID_Transaction_List],
    l.[Line_No],
    l.[Received_Date],
    CAST('Translist in progress' AS varchar(30)),
    l.[Related_Entity],
    CASE
        WHEN l.[Applied_Date] > '1753-01-01' AND l.[Applied_Date] < @next_start
            THEN CAST(l.[Amount_Received] - l.[Amount_Applied] AS decimal(19, 4))
        ELSE l.[Amount_Received]
    END
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_PACKLIST_PACKAGES] AS l
WHERE l.[ID_Company] = @id_company
    AND @branch = 'Transaction list'
    AND l.[ID_Transaction_List] = @transaction_id
    AND l.[Line_No] = @occurrence_no
UNION ALL
SELECT
    p.[ID_Company],
    CAST('Payment' AS varchar(20)),
    p.[ID_Payment],
    p.[Line_No],
    p.[Created_Date],
    p.[Payment_Type],
    p.[Related_Entity],
    CAST(0 - p.[Amount] AS decimal(19, 4))
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_PACKLIST_PAYMENTS] AS p
WHERE p.[ID_Company] = @id_company
    AND @branch = 'Payment'
    AND p.[ID_Payment] = @transaction_id
    AND p.[Line_No] = @occurrence_no
