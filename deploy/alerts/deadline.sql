-- Runs every weekday morning as the auditor. From working day ${WORKING_DAY} on it fails while the last month is not closed:
-- while soxauto_runs has no judgement of it that is FINAL and control evidence. A query that fails is what the alert looks
-- for; so it is the alert too where soxauto_runs does not exist yet, because nothing was ever published. The table shows
-- what people did to a month when it is published again: after `soxauto close`, and after `soxauto reopen`.
-- Items that are not loaded are named to say what to do, and alone are no reason: JDASH comes as a file, or does not.
-- Working days are Monday to Friday: a public holiday makes the check a day early, never late.
DECLARE today DATE DEFAULT CURRENT_DATE('Europe/Paris');
DECLARE due_month DATE DEFAULT DATE_TRUNC(DATE_SUB(today, INTERVAL 1 MONTH), MONTH);
DECLARE due_day DATE DEFAULT (
  SELECT ARRAY_AGG(day ORDER BY day)[ORDINAL(${WORKING_DAY})]
  FROM UNNEST(GENERATE_DATE_ARRAY(DATE_TRUNC(today, MONTH), LAST_DAY(today))) AS day
  WHERE EXTRACT(DAYOFWEEK FROM day) BETWEEN 2 AND 6
);
DECLARE not_loaded STRING;
IF today >= due_day THEN
  SET not_loaded = (
    SELECT STRING_AGG(item, ', ' ORDER BY item)
    FROM UNNEST([
      'cr_03', 'cr_04', 'cr_05', 'cr_05a', 'ipe_07', 'ipe_08', 'ipe_08_timing', 'ipe_08_usage', 'ipe_10', 'ipe_11', 'ipe_12',
      'ipe_31', 'ipe_34', 'jdash'
    ]) AS item
    WHERE CONCAT('pg01_validated_ipe_', item) NOT IN (
      SELECT table_name
      FROM `${PROJECT_ID}.${DATASET}.INFORMATION_SCHEMA.PARTITIONS`
      WHERE partition_id = FORMAT_DATE('%Y%m', due_month)
    )
  );
  IF NOT EXISTS (
    SELECT run_id
    FROM `${PROJECT_ID}.${DATASET}.soxauto_runs`
    WHERE _period = due_month AND item = 'reconciliation' AND state = 'FINAL' AND is_control_evidence
  ) THEN
    RAISE USING MESSAGE = FORMAT(
      'soxauto deadline: month %s has no FINAL judgement that is control evidence; items not loaded: %s',
      FORMAT_DATE('%Y-%m', due_month), IFNULL(not_loaded, 'none')
    );
  END IF;
END IF;
