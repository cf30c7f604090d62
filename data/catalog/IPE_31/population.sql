-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Every row of the four branches whose event came before @next_start, once, with what each predicate of the item says of it.
-- Every mapping is grouped, and a partner, a bank account and a posting group stand once in a company; were one twice, there
-- would be more rows here than in the four tables. [list_status] is empty where a list has none, and [hub_mapping] says which
-- rows have no partner because their hub is mapped to several.
SELECT
    u.[ID_Company] AS [company],
    u.[ID_Company] AS [id_company],
    u.[Branch] AS [branch],
    u.[Transaction_ID] AS [transaction_id],
    u.[Occurrence_No] AS [occurrence_no],
    u.[Event_Date] AS [event_date],
    u.[Transaction_Type] AS [transaction_type],
    co.[Country_Code] AS [country_code],
    u.[List_Status] AS [list_status],
    CASE
        WHEN u.[ID_Collection_Partner] IS NOT NULL THEN 'partner is named'
        WHEN hub.[first_partner] IS NULL THEN 'hub is not mapped'
        WHEN hub.[first_partner] = hub.[last_partner] THEN 'one partner'
        ELSE 'several partners'
    END AS [hub_mapping],
    u.[Amount] AS [amount],
    CASE
        WHEN u.[Branch] = 'Transaction' AND u.[Transaction_Type] IN (
            'Payment', 'Payment Charges', 'Transfer', 'Reallocation From', 'Reallocation To', 'Cash Deposit',
            'Collection Adjustment'
        ) THEN 0
        ELSE 1
    END AS [keep: type that no other branch has],
    CASE WHEN u.[Closed_Date] < @next_start THEN 0 ELSE 1 END AS [keep: not closed before the cutoff],
    CASE
        WHEN u.[Branch] = 'Transaction list' AND u.[Amount] <= 0 THEN 0 ELSE 1
    END AS [keep: something of a list remains],
    CASE
        WHEN co.[Country_Code] IN ('TN', 'TZ', 'ZA') THEN 0 ELSE 1
    END AS [keep: not in Tunisia, Tanzania or South Africa],
    CASE WHEN pg.[G_L Bank Account No_] = '10058' THEN 0 ELSE 1 END AS [keep: not on the main bank account]
FROM (
    SELECT
        t.[ID_Company],
        CAST('Transaction' AS varchar(20)) AS [Branch],
        t.[ID_Transaction] AS [Transaction_ID],
        1 AS [Occurrence_No],
        CASE
            WHEN t.[Transaction_Type] IN ('Transfer to', 'Transfer From') THEN t.[Payment_Date]
            WHEN t.[Transaction_Type] IN ('Payment - Rev', 'Payment Charges Rev') THEN t.[Reversal_Date]
            ELSE t.[Created_Date]
        END AS [Event_Date],
        t.[ID_Collection_Partner],
        t.[Transaction_Type],
        t.[Related_Entity],
        t.[Amount],
        CASE
            WHEN t.[List_Status] IS NULL OR t.[List_Status] <> 'Waiting' THEN NULLIF(t.[List_Date], '1753-01-01')
        END AS [Closed_Date],
        CASE WHEN NULLIF(t.[List_Date], '1753-01-01') IS NULL THEN 'in no list' ELSE t.[List_Status] END AS [List_Status]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_TRANSACTION] AS t
    UNION ALL
    SELECT
        r.[ID_Company],
        CAST('Reallocation' AS varchar(20)),
        r.[ID_Transaction],
        r.[Line_No],
        r.[Reallocation_Date],
        r.[From_Collection_Partner],
        CAST('Reallocation From' AS varchar(30)),
        r.[Related_Entity],
        r.[Amount],
        NULLIF(r.[Received_Date], '1753-01-01'),
        CAST('in no list' AS varchar(20))
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_REALLOCATIONS] AS r
    UNION ALL
    SELECT
        l.[ID_Company],
        CAST('Transaction list' AS varchar(20)),
        l.[ID_Transaction_List],
        l.[Line_No],
        l.[Received_Date],
        l.[ID_Collection_Partner],
        CAST('Translist in progress' AS varchar(30)),
        l.[Related_Entity],
        CAST(
            l.[Amount_Received]
                - CASE WHEN NULLIF(l.[Applied_Date], '1753-01-01') < @next_start THEN l.[Amount_Applied] ELSE 0 END
            AS decimal(19, 4)
        ),
        NULLIF(l.[Force_Closed_Date], '1753-01-01'),
        CAST('in no list' AS varchar(20))
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_PACKLIST_PACKAGES] AS l
    UNION ALL
    SELECT
        p.[ID_Company],
        CAST('Payment' AS varchar(20)),
        p.[ID_Payment],
        p.[Line_No],
        p.[Created_Date],
        p.[ID_Collection_Partner],
        p.[Payment_Type],
        p.[Related_Entity],
        CAST(-p.[Amount] AS decimal(19, 4)),
        arrived.[Arrived_Date],
        CAST('in no list' AS varchar(20))
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_PACKLIST_PAYMENTS] AS p
    LEFT JOIN (
        SELECT [ID_Company], [ID_Payment], [Line_No], MIN([Arrived_Date]) AS [Arrived_Date]
        FROM (
            SELECT [ID_Company], [ID_Payment], [Line_No], NULLIF([Deposit_Date], '1753-01-01') AS [Arrived_Date]
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHDEPOSIT]
            UNION ALL
            SELECT [ID_Company], [ID_Payment], [Line_No], NULLIF([Adjustment_Date], '1753-01-01')
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_COLLECTIONADJ]
        ) AS arrivals
        GROUP BY [ID_Company], [ID_Payment], [Line_No]
    ) AS arrived
        ON arrived.[ID_Company] = p.[ID_Company]
        AND arrived.[ID_Payment] = p.[ID_Payment]
        AND arrived.[Line_No] = p.[Line_No]
) AS u
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = u.[ID_Company]
LEFT JOIN (
    SELECT
        [ID_Company],
        [Hub],
        MIN([ID_Collection_Partner]) AS [first_partner],
        MAX([ID_Collection_Partner]) AS [last_partner]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_HUBS_3PL_MAPPING]
    GROUP BY [ID_Company], [Hub]
) AS hub
    ON hub.[ID_Company] = u.[ID_Company]
    AND hub.[Hub] = u.[Related_Entity]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_COLLECTIONPARTNERS] AS cp
    ON cp.[ID_Company] = u.[ID_Company]
    AND cp.[ID_Collection_Partner] = COALESCE(
        u.[ID_Collection_Partner],
        CASE WHEN hub.[first_partner] = hub.[last_partner] THEN hub.[first_partner] END
    )
LEFT JOIN [AIG_Nav_DW].[dbo].[Bank Accounts] AS ba
    ON ba.[id_company] = u.[ID_Company]
    AND ba.[No_] = cp.[Bank_Account_No]
LEFT JOIN [AIG_Nav_DW].[dbo].[Bank Account Posting Group] AS pg
    ON pg.[id_company] = u.[ID_Company]
    AND pg.[Code] = ba.[Bank Acc_ Posting Group]
WHERE NULLIF(u.[Event_Date], '1753-01-01') < @next_start
