-- params
DECLARE @next_start date = '2024-05-01';
-- end
-- Cash that was collected and has not arrived at the end of the period: four branches, each with its own meaning of open.
-- Transaction: collected by a partner and in no list, in a later one or in one that waits. Reallocation: under way between
-- two partners. Transaction list: received with a list and not applied yet. Payment: on its way to the bank, negative.
-- Not filtered on purpose: a company without a country and a partner without a bank account stay in. A hub may be mapped
-- twice, so the mapping is grouped before it is joined; one that is mapped to several partners names none of them. A list
-- without a status closes what is in it, as every list does that does not wait. NAV's empty date is no date.
SELECT
    u.[ID_Company],
    u.[Branch],
    u.[Transaction_ID],
    u.[Occurrence_No],
    u.[Event_Date],
    cp.[ID_Collection_Partner] AS [cp],
    u.[Transaction_Type],
    u.[Related_Entity],
    u.[Amount],
    cp.[Service_Provider],
    cp.[Type],
    cp.[ERP_Name],
    co.[Company_Country],
    DATEADD(second, -1, CAST(@next_start AS datetime)) AS [Closing_Date],
    pg.[G_L Bank Account No_]
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
        END AS [Closed_Date]
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
        NULLIF(r.[Received_Date], '1753-01-01')
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
        NULLIF(l.[Force_Closed_Date], '1753-01-01')
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
        arrived.[Arrived_Date]
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
    SELECT [ID_Company], [Hub], MIN([ID_Collection_Partner]) AS [ID_Collection_Partner]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_HUBS_3PL_MAPPING]
    GROUP BY [ID_Company], [Hub]
    HAVING MIN([ID_Collection_Partner]) = MAX([ID_Collection_Partner])
) AS hub
    ON hub.[ID_Company] = u.[ID_Company]
    AND hub.[Hub] = u.[Related_Entity]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_COLLECTIONPARTNERS] AS cp
    ON cp.[ID_Company] = u.[ID_Company]
    AND cp.[ID_Collection_Partner] = COALESCE(u.[ID_Collection_Partner], hub.[ID_Collection_Partner])
LEFT JOIN [AIG_Nav_DW].[dbo].[Bank Accounts] AS ba
    ON ba.[id_company] = u.[ID_Company]
    AND ba.[No_] = cp.[Bank_Account_No]
LEFT JOIN [AIG_Nav_DW].[dbo].[Bank Account Posting Group] AS pg
    ON pg.[id_company] = u.[ID_Company]
    AND pg.[Code] = ba.[Bank Acc_ Posting Group]
WHERE NULLIF(u.[Event_Date], '1753-01-01') < @next_start
    -- predicate: type that no other branch has
    AND (
        u.[Branch] <> 'Transaction'
        OR u.[Transaction_Type] IS NULL
        OR u.[Transaction_Type] NOT IN (
            'Payment', 'Payment Charges', 'Transfer', 'Reallocation From', 'Reallocation To', 'Cash Deposit',
            'Collection Adjustment'
        )
    )
    -- end predicate
    -- predicate: not closed before the cutoff
    AND (u.[Closed_Date] IS NULL OR u.[Closed_Date] >= @next_start)
    -- end predicate
    -- predicate: something of a list remains
    AND (u.[Branch] <> 'Transaction list' OR u.[Amount] IS NULL OR u.[Amount] > 0)
    -- end predicate
    -- predicate: not in Tunisia, Tanzania or South Africa
    AND (co.[Country_Code] IS NULL OR co.[Country_Code] NOT IN ('TN', 'TZ', 'ZA'))
    -- end predicate
    -- predicate: not on the main bank account
    AND (pg.[G_L Bank Account No_] IS NULL OR pg.[G_L Bank Account No_] <> '10058')
    -- end predicate
