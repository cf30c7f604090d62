-- params
DECLARE @period_end date = '2024-04-30';
-- end
-- General ledger balances at the end of the period, per company, account, currency, business line and partner.
-- The accounts are those of the reconciliation lines; companies outside the scope stay in and are reported as such.
SELECT
    bal.[ID_COMPANY],
    bal.[COMPANY_NAME],
    bal.[COUNTRY_CODE],
    bal.[COUNTRY_NAME],
    bal.[CLOSING_DATE],
    bal.[REFRESH_DATE],
    bal.[GROUP_COA_ACCOUNT_NO],
    bal.[GROUP_COA_ACCOUNT_NAME],
    bal.[REAL_COA],
    bal.[CURRENCY],
    bal.[FX_RATE],
    bal.[BALANCE_AT_DATE],
    bal.[BUSLINE_CODE],
    bal.[REPORTING_COUNTRY_CODE],
    bal.[REPORTING_COUNTRY_NAME],
    bal.[PARTNER_CODE],
    bal.[IC_PARTNER_CODE],
    bal.[IS_RECHARGE],
    bal.[IS_RETAINED_EARNINGS],
    bal.[CONSO_ACCOUNT_NO],
    bal.[CONSO_ACCOUNT_NAME],
    bal.[IFRS_LEVEL_1_NAME],
    bal.[IFRS_LEVEL_2_NAME],
    bal.[IFRS_LEVEL_3_NAME],
    bal.[IS_INTERCO]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT] AS bal
WHERE bal.[CLOSING_DATE] = @period_end
    -- predicate: account of the reconciliation
    AND bal.[GROUP_COA_ACCOUNT_NO] IN (
        '13001', '13002', '13003', '13004', '13005', '13009', '13011', '13012', '13024',
        '18304', '18317', '18350', '18397', '18412', '18650', '10590'
    )
    -- end predicate
