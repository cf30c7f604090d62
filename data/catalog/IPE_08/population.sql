-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Every voucher that the stock of @period_end has and that was created before @next_start, once, with what each predicate
-- of the item says of it. Usage is not looked at by a predicate; [join_by_code] is the audit of the join by which the item
-- gets it: what the code of the voucher names at the other end, and whether it names this voucher alone.
SELECT
    v.[ID_COMPANY] AS [company],
    v.[ID_COMPANY] AS [id_company],
    v.[id] AS [id],
    v.[created_at] AS [created_at],
    v.[business_use] AS [business_use],
    CASE
        WHEN used.[VOUCHER_CODE] IS NULL THEN 'not used'
        WHEN twin.[code] IS NOT NULL THEN 'several vouchers'
        WHEN used.[first_type] <> used.[last_type] THEN 'several types'
        ELSE 'one type'
    END AS [join_by_code],
    v.[discount_amount] AS [discount_amount],
    v.[remaining_amount] AS [remaining_amount],
    CASE WHEN v.[created_at] >= '2017-01-01' THEN 1 ELSE 0 END AS [keep: created from 2017 on],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = v.[ID_COMPANY]
LEFT JOIN (
    SELECT
        soi.[ID_COMPANY],
        soi.[VOUCHER_CODE],
        MIN(soi.[VOUCHER_TYPE]) AS [first_type],
        MAX(soi.[VOUCHER_TYPE]) AS [last_type]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
    WHERE soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
        AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
        AND soi.[VOUCHER_CODE] IS NOT NULL
    GROUP BY soi.[ID_COMPANY], soi.[VOUCHER_CODE]
) AS used
    ON used.[ID_COMPANY] = v.[ID_COMPANY]
    AND used.[VOUCHER_CODE] = v.[code]
LEFT JOIN (
    SELECT [ID_COMPANY], [code]
    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING]
    WHERE [snapshot_date] = @period_end
    GROUP BY [ID_COMPANY], [code]
    HAVING COUNT_BIG(*) > 1
) AS twin
    ON twin.[ID_COMPANY] = v.[ID_COMPANY]
    AND twin.[code] = v.[code]
WHERE v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
