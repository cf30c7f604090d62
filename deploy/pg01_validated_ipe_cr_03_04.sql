-- The old name of the ledger extract, for those who still read it: the newest loaded month of CR_03, with the metadata
-- columns as the texts that they were. Run with envsubst (deploy/migration.md, step 5).
CREATE OR REPLACE VIEW `${PROJECT_ID}.${DATASET}.pg01_validated_ipe_cr_03_04`
OPTIONS (description = 'Old name, for old readers: newest month of pg01_validated_ipe_cr_03. Read that table instead.')
AS
SELECT * EXCEPT (_run_id, _period) REPLACE (
  'CR_03_04' AS _ipe_id,
  FORMAT_TIMESTAMP('%FT%H:%M:%E6S', _extraction_date) AS _extraction_date,
  CAST(_cutoff_date AS STRING) AS _cutoff_date,
  FORMAT_TIMESTAMP('%FT%H:%M:%E6S', _processing_timestamp) AS _processing_timestamp
)
FROM `${PROJECT_ID}.${DATASET}.pg01_validated_ipe_cr_03`
WHERE _period = (SELECT MAX(_period) FROM `${PROJECT_ID}.${DATASET}.pg01_validated_ipe_cr_03`);
