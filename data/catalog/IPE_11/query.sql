-- params
DECLARE @start date = '2024-04-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- Transactions of the seller centre that were created in the month, are revenues, and that no statement had settled at its
-- end: they have none, or one that ends later. A statement that is not known settles nothing, nor does one without an end;
-- NAV's empty date is no date.
SELECT
    t.[ID_Company],
    t.[SC_Created_Date],
    t.[SC_ID_Transaction],
    t.[SC_Transaction_No],
    t.[SC_Transaction_Type],
    acc.[ASG_Name] AS [SC_ASG_Name],
    acc.[NAV_Type] AS [SC_NAV_Type],
    acc.[NAV_Message] AS [SC_NAV_Message],
    t.[SC_Transaction_Amount],
    t.[SC_Created_Manually],
    v.[Vendor_No] AS [SC_Vendor_No],
    v.[BOB_ID_Vendor],
    v.[Vendor_Name] AS [SC_Vendor_Name],
    v.[Is_Global],
    t.[SC_ID_Sales_Order_Item],
    t.[OMS_ID_Sales_Order_Item],
    t.[BOB_ID_Sales_Order_Item],
    t.[Order_Nr],
    t.[SC_ID_Account_Statement],
    st.[Statement_No] AS [SC_Transaction_Statement_No],
    st.[Start_Date] AS [SC_Start_Date],
    st.[End_Date] AS [SC_End_Date],
    st.[Paid] AS [SC_Paid],
    st.[Paid_Date] AS [SC_Paid_Date],
    asg.[Level_1],
    asg.[Level_2],
    asg.[Level_3],
    asg.[Level_4]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_TRANSACTIONS_SELLER] AS t
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_TRANSACTIONS] AS acc
    ON acc.[ID_Company] = t.[ID_Company]
    AND acc.[ID_Transaction] = t.[SC_ID_Transaction]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[GDOC_DIM_ASG_V2] AS asg
    ON asg.[ASG_Name] = acc.[ASG_Name]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[RING].[RPT_ACCOUNTSTATEMENTS] AS st
    ON st.[ID_Company] = t.[ID_Company]
    AND st.[ID_Account_Statement] = t.[SC_ID_Account_Statement]
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_VENDORS] AS v
    ON v.[ID_Company] = t.[ID_Company]
    AND v.[SC_ID_Vendor] = t.[SC_ID_Vendor]
WHERE t.[SC_Created_Date] < @next_start
    -- predicate: created in the month
    AND t.[SC_Created_Date] >= @start
    -- end predicate
    -- predicate: a revenue
    AND asg.[Level_1] = 'Revenues'
    -- end predicate
    -- predicate: not settled before the cutoff
    AND ISNULL(NULLIF(st.[End_Date], '1753-01-01'), @next_start) >= @next_start
    -- end predicate
