-- params
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @closing_date datetime = '2024-04-30';
DECLARE @group_coa_account_no varchar(20) = '13003';
DECLARE @real_coa varchar(20) = '13003';
DECLARE @currency varchar(10) = 'NGN';
DECLARE @busline_code varchar(20) = '';
DECLARE @partner_code nvarchar(20) = N'';
DECLARE @ic_partner_code varchar(20) = NULL;
-- end
-- One balance by its key.
SELECT
    bal.[ID_COMPANY] AS [id_company],
    bal.[CLOSING_DATE] AS [closing_date],
    bal.[REFRESH_DATE] AS [refresh_date],
    bal.[GROUP_COA_ACCOUNT_NO] AS [group_coa_account_no],
    bal.[REAL_COA] AS [real_coa],
    bal.[CURRENCY] AS [currency],
    bal.[FX_RATE] AS [fx_rate],
    bal.[BALANCE_AT_DATE] AS [balance_at_date],
    bal.[BUSLINE_CODE] AS [busline_code],
    bal.[PARTNER_CODE] AS [partner_code],
    bal.[IC_PARTNER_CODE] AS [ic_partner_code]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT] AS bal
WHERE bal.[ID_COMPANY] = @id_company
    AND bal.[CLOSING_DATE] = @closing_date
    AND bal.[GROUP_COA_ACCOUNT_NO] = @group_coa_account_no
    AND bal.[REAL_COA] = @real_coa
    AND bal.[CURRENCY] = @currency
    AND bal.[BUSLINE_CODE] = @busline_code
    AND bal.[PARTNER_CODE] = @partner_code
    AND (
        bal.[IC_PARTNER_CODE] = @ic_partner_code
        OR (bal.[IC_PARTNER_CODE] IS NULL AND @ic_partner_code IS NULL)
    )
