-- Runs every weekday morning as the auditor. From working day ${WORKING_DAY} on it fails while an item of the last month
-- has no partition, and a query that fails is what the alert looks for. Working days are Monday to Friday: a public
-- holiday makes the check a day early, never late.
DECLARE today DATE DEFAULT CURRENT_DATE('Europe/Paris');
DECLARE month STRING DEFAULT FORMAT_DATE('%Y%m', DATE_SUB(today, INTERVAL 1 MONTH));
DECLARE due DATE DEFAULT (
  SELECT ARRAY_AGG(day ORDER BY day)[ORDINAL(${WORKING_DAY})]
  FROM UNNEST(GENERATE_DATE_ARRAY(DATE_TRUNC(today, MONTH), LAST_DAY(today))) AS day
  WHERE EXTRACT(DAYOFWEEK FROM day) BETWEEN 2 AND 6
);
DECLARE missing STRING DEFAULT (
  SELECT STRING_AGG(item, ', ' ORDER BY item)
  FROM UNNEST([
    'cr_03', 'cr_04', 'cr_05', 'cr_05a', 'ipe_07', 'ipe_08', 'ipe_08_timing', 'ipe_08_usage', 'ipe_10', 'ipe_11', 'ipe_12',
    'ipe_31', 'ipe_34', 'jdash'
  ]) AS item
  WHERE NOT EXISTS (
    SELECT 1
    FROM `${PROJECT_ID}.${DATASET}.INFORMATION_SCHEMA.PARTITIONS`
    WHERE table_name = CONCAT('pg01_validated_ipe_', item) AND partition_id = month
  )
);
IF today >= due AND missing IS NOT NULL THEN
  RAISE USING MESSAGE = FORMAT('soxauto deadline: month %s has no rows of %s', month, missing);
END IF;
