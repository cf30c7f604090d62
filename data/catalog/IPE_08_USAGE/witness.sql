-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @id varchar(20) = '40000001';
DECLARE @delivery_mth int = 202404;
-- end
-- What was used of one voucher in one month, by its key. Nothing is joined: each amount is summed again from the order items
-- by a question of its own, which has one answer also where the stock holds the voucher twice, so that both rows come.
SELECT
    v.[ID_COMPANY] AS [id_company],
    v.[id] AS [id],
    v.[business_use] AS [business_use],
    YEAR(v.[created_at]) AS [creation_year],
    (
        SELECT MAX(YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]))
        FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
        WHERE soi.[ID_COMPANY] = @id_company
            AND soi.[VOUCHER_CODE] IN (
                SELECT own.[code]
                FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                WHERE own.[ID_COMPANY] = @id_company
                    AND own.[id] = @id
                    AND own.[snapshot_date] = @period_end
            )
            AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
            AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
            AND soi.[VOUCHER_TYPE] = 'reusablecredit'
            AND YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) = @delivery_mth
    ) AS [delivery_mth],
    CASE
        WHEN (
            SELECT COUNT_BIG(*)
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS twin
            WHERE twin.[ID_COMPANY] = @id_company
                AND twin.[snapshot_date] = @period_end
                AND twin.[code] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
        ) <= 1 THEN (
            SELECT CAST(ISNULL(SUM(ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)), 0) AS decimal(19, 4))
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
            WHERE soi.[ID_COMPANY] = @id_company
                AND soi.[VOUCHER_CODE] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
                AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
                AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
                AND soi.[VOUCHER_TYPE] = 'reusablecredit'
                AND YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) = @delivery_mth
        )
    END AS [shipping_storecredit],
    CASE
        WHEN (
            SELECT COUNT_BIG(*)
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS twin
            WHERE twin.[ID_COMPANY] = @id_company
                AND twin.[snapshot_date] = @period_end
                AND twin.[code] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
        ) <= 1 THEN (
            SELECT CAST(ISNULL(SUM(ISNULL(soi.[MTR_MPL_STORECREDIT], 0)), 0) AS decimal(19, 4))
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
            WHERE soi.[ID_COMPANY] = @id_company
                AND soi.[VOUCHER_CODE] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
                AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
                AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
                AND soi.[VOUCHER_TYPE] = 'reusablecredit'
                AND YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) = @delivery_mth
        )
    END AS [mpl_storecredit],
    CASE
        WHEN (
            SELECT COUNT_BIG(*)
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS twin
            WHERE twin.[ID_COMPANY] = @id_company
                AND twin.[snapshot_date] = @period_end
                AND twin.[code] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
        ) <= 1 THEN (
            SELECT CAST(ISNULL(SUM(ISNULL(soi.[MTR_RTL_STORECREDIT], 0)), 0) AS decimal(19, 4))
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
            WHERE soi.[ID_COMPANY] = @id_company
                AND soi.[VOUCHER_CODE] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
                AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
                AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
                AND soi.[VOUCHER_TYPE] = 'reusablecredit'
                AND YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) = @delivery_mth
        )
    END AS [rtl_storecredit],
    CASE
        WHEN (
            SELECT COUNT_BIG(*)
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS twin
            WHERE twin.[ID_COMPANY] = @id_company
                AND twin.[snapshot_date] = @period_end
                AND twin.[code] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
        ) <= 1 THEN (
            SELECT CAST(ISNULL(SUM(
                ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
                + ISNULL(soi.[MTR_MPL_STORECREDIT], 0)
                + ISNULL(soi.[MTR_RTL_STORECREDIT], 0)
            ), 0) AS decimal(19, 4))
            FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI] AS soi
            WHERE soi.[ID_COMPANY] = @id_company
                AND soi.[VOUCHER_CODE] IN (
                    SELECT own.[code]
                    FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS own
                    WHERE own.[ID_COMPANY] = @id_company
                        AND own.[id] = @id
                        AND own.[snapshot_date] = @period_end
                )
                AND soi.[PACKAGE_DELIVERY_DATE] >= '2015-01-01'
                AND soi.[PACKAGE_DELIVERY_DATE] < @next_start
                AND soi.[VOUCHER_TYPE] = 'reusablecredit'
                AND YEAR(soi.[PACKAGE_DELIVERY_DATE]) * 100 + MONTH(soi.[PACKAGE_DELIVERY_DATE]) = @delivery_mth
        )
    END AS [totalamountused]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
WHERE v.[ID_COMPANY] = @id_company
    AND v.[id] = @id
    AND v.[snapshot_date] = @period_end
