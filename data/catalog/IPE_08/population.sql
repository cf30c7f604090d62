-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
-- end
-- Every voucher that the stock of @period_end has and that was created before @next_start, once, with what each predicate
-- of the item says of it. Usage is not looked at: no predicate asks for it.
SELECT
    v.[ID_COMPANY] AS [company],
    v.[ID_COMPANY] AS [id_company],
    v.[id] AS [id],
    v.[created_at] AS [created_at],
    v.[business_use] AS [business_use],
    v.[discount_amount] AS [discount_amount],
    v.[remaining_amount] AS [remaining_amount],
    CASE WHEN v.[created_at] >= '2017-01-01' THEN 1 ELSE 0 END AS [keep: created from 2017 on],
    CASE WHEN co.[Company_Code] IS NULL THEN 0 ELSE 1 END AS [keep: company is known],
    CASE WHEN co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1 END AS [keep: company in consolidation scope]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
LEFT JOIN [AIG_Nav_Jumia_Reconciliation].[fdw].[Dim_Company] AS co
    ON co.[Company_Code] = v.[ID_COMPANY]
WHERE v.[snapshot_date] = @period_end
    AND v.[created_at] < @next_start
