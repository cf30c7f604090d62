-- params
DECLARE @period_end date = '2024-04-30';
-- end
-- Every balance of the view at the end of the period, once, with what the predicate of the item says of it.
SELECT
    bal.[ID_COMPANY] AS [company],
    bal.[ID_COMPANY] AS [id_company],
    bal.[CLOSING_DATE] AS [closing_date],
    bal.[GROUP_COA_ACCOUNT_NO] AS [group_coa_account_no],
    bal.[REAL_COA] AS [real_coa],
    bal.[CURRENCY] AS [currency],
    bal.[BUSLINE_CODE] AS [busline_code],
    bal.[PARTNER_CODE] AS [partner_code],
    bal.[IC_PARTNER_CODE] AS [ic_partner_code],
    bal.[BALANCE_AT_DATE] AS [balance_at_date],
    CASE WHEN bal.[GROUP_COA_ACCOUNT_NO] IN (
        '13001', '13002', '13003', '13004', '13005', '13009', '13011', '13012', '13024',
        '18304', '18317', '18350', '18397', '18412', '18650', '10590'
    ) THEN 1 ELSE 0 END AS [keep: account of the reconciliation]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT] AS bal
WHERE bal.[CLOSING_DATE] = @period_end
