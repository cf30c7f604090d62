-- params
DECLARE @next_start date = '2024-05-01';
DECLARE @period_end date = '2024-04-30';
DECLARE @id_company varchar(20) = 'EC_NG';
DECLARE @id varchar(20) = '40000000';
-- end
-- One voucher of the stock by its key. Nothing is joined: what was used is summed again from the order items, each amount by
-- a question of its own, which has one answer also where the stock holds the key twice, so that both rows come. It is
-- unknown where the code was used and several vouchers have it; one that nobody used is a zero, as is a voucher without one.
SELECT
    v.[ID_COMPANY] AS [id_company],
    v.[id] AS [id],
    v.[business_use] AS [business_use],
    v.[is_active] AS [is_active],
    v.[discount_amount] AS [discount_amount],
    v.[to_date] AS [to_date],
    v.[created_at] AS [created_at],
    v.[snapshot_date] AS [snapshot_date],
    v.[voucher_inactive_date] AS [voucher_inactive_date],
    v.[template_inactive_date] AS [template_inactive_date],
    v.[used_discount_amount] AS [used_discount_amount],
    v.[times_used] AS [times_used],
    v.[remaining_amount] AS [remaining_amount],
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
            SELECT CAST(ISNULL(SUM(ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)), 0) AS decimal(19, 4))
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
    END AS [shipping_discount],
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
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
                ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
                + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
    END AS [totalamountused],
    v.[discount_amount] - CASE
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
                ISNULL(soi.[MTR_SHIPPING_VOUCHER_DISCOUNT], 0)
                + ISNULL(soi.[MTR_SHIPPING_STORECREDIT], 0)
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
        )
        WHEN (
            SELECT COUNT_BIG(*)
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
        ) = 0 THEN CAST(0 AS decimal(19, 4))
    END AS [totalremainingamount]
FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING] AS v
WHERE v.[ID_COMPANY] = @id_company
    AND v.[id] = @id
    AND v.[snapshot_date] = @period_end
