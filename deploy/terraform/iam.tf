# Who may do what. Every line stands in the table of ../README.md with its reason; tests/it/deploy compares the two.

resource "google_service_account" "role" {
  for_each = {
    runner    = "PG-01: reads the SQL Server, stages, loads, seals"
    scheduler = "PG-01: starts the month"
    auditor   = "PG-01: reads evidence, parts, tables and logs"
    deployer  = "PG-01: builds images and deploys them"
  }
  account_id   = "soxauto-${each.key}"
  display_name = each.value
  depends_on   = [google_project_service.api]
}

locals {
  who = {
    runner    = google_service_account.role["runner"].member
    scheduler = google_service_account.role["scheduler"].member
    auditor   = google_service_account.role["auditor"].member
    deployer  = google_service_account.role["deployer"].member
    auditors  = var.auditors
    deployers = var.deployers
    closers   = var.closers
    uploaders = var.uploaders
  }

  buckets = merge(
    { for name, bucket in google_storage_bucket.retained : name => bucket.name },
    {
      leases = google_storage_bucket.leases.name
      files  = google_storage_bucket.files.name
      build  = google_storage_bucket.build.name
    },
  )

  # Where people's acts lie in the evidence, as a condition on the name of an object.
  months = "resource.name.startsWith('projects/_/buckets/${google_storage_bucket.retained["evidence"].name}/objects/months/')"

  project_grants = [
    { who = "runner", role = "roles/bigquery.jobUser" },
    { who = "runner", role = "roles/logging.logWriter" },
    { who = "auditor", role = "roles/bigquery.jobUser" },
    { who = "auditor", role = "roles/logging.viewer" },
    { who = "deployer", role = "roles/cloudbuild.builds.editor" },
    { who = "deployer", role = "roles/logging.logWriter" },
    { who = "deployer", role = "roles/logging.viewer" },
    { who = "deployer", role = "roles/run.developer" },
    { who = "deployer", role = "roles/serviceusage.serviceUsageConsumer" },
  ]

  dataset_grants = [
    { who = "runner", role = "roles/bigquery.dataEditor" },
    { who = "auditor", role = "roles/bigquery.dataViewer" },
  ]

  bucket_grants = [
    { who = "runner", role = "roles/storage.objectCreator", on = "staging" },
    { who = "runner", role = "roles/storage.objectViewer", on = "staging" },
    { who = "runner", role = "roles/storage.objectViewer", on = "evidence" },
    { who = "runner", role = "roles/storage.objectCreator", on = "leases" },
    { who = "runner", role = "roles/storage.objectViewer", on = "leases" },
    { who = "runner", role = "roles/storage.objectViewer", on = "files" },
    { who = "auditor", role = "roles/storage.objectViewer", on = "staging" },
    { who = "auditor", role = "roles/storage.legacyBucketReader", on = "staging" },
    { who = "auditor", role = "roles/storage.objectViewer", on = "evidence" },
    { who = "auditor", role = "roles/storage.legacyBucketReader", on = "evidence" },
    { who = "auditor", role = "roles/storage.objectViewer", on = "leases" },
    { who = "auditor", role = "roles/storage.objectViewer", on = "files" },
    { who = "closers", role = "roles/storage.objectViewer", on = "staging" },
    { who = "closers", role = "roles/storage.objectViewer", on = "evidence" },
    { who = "uploaders", role = "roles/storage.objectCreator", on = "files" },
    { who = "uploaders", role = "roles/storage.objectViewer", on = "files" },
    { who = "deployer", role = "roles/storage.objectUser", on = "build" },
    { who = "deployer", role = "roles/storage.legacyBucketReader", on = "build" },
  ]

  # Who creates in the evidence: what people do to a month, and all the rest. Who runs cannot close.
  evidence_grants = [
    { who = "closers", role = "roles/storage.objectCreator", title = "months", condition = local.months },
    { who = "runner", role = "roles/storage.objectCreator", title = "not-months", condition = "${local.months} == false" },
  ]

  secret_grants = concat(
    [{ who = "runner", role = "roles/secretmanager.secretAccessor", on = google_secret_manager_secret.connection.id }],
    [for secret in google_secret_manager_secret.webhook : { who = "runner", role = "roles/secretmanager.secretAccessor", on = secret.id }],
    [for secret in google_secret_manager_secret.key : { who = "runner", role = "roles/secretmanager.secretAccessor", on = secret.id }],
  )

  repository_grants = [
    { who = "deployer", role = "roles/artifactregistry.writer" },
  ]

  service_grants = [
    { who = "scheduler", role = "roles/run.invoker" },
  ]

  job_grants = [
    { who = "runner", role = "roles/run.jobsExecutorWithOverrides" },
    { who = "runner", role = "roles/run.viewer" },
  ]

  account_grants = [
    { who = "deployer", role = "roles/iam.serviceAccountUser", on = "runner" },
    { who = "deployer", role = "roles/iam.serviceAccountUser", on = "deployer" },
    { who = "deployers", role = "roles/iam.serviceAccountTokenCreator", on = "deployer" },
    { who = "deployers", role = "roles/iam.serviceAccountTokenCreator", on = "scheduler" },
    { who = "auditors", role = "roles/iam.serviceAccountTokenCreator", on = "auditor" },
  ]
}

resource "google_project_iam_member" "grant" {
  for_each = { for grant in local.project_grants : "${grant.who} ${grant.role}" => grant }
  project  = var.project_id
  role     = each.value.role
  member   = local.who[each.value.who]
}

resource "google_bigquery_dataset_iam_member" "grant" {
  for_each   = { for grant in local.dataset_grants : "${grant.who} ${grant.role}" => grant }
  dataset_id = google_bigquery_dataset.control.dataset_id
  role       = each.value.role
  member     = local.who[each.value.who]
}

resource "google_storage_bucket_iam_member" "grant" {
  for_each = { for grant in local.bucket_grants : "${grant.who} ${grant.role} ${grant.on}" => grant }
  bucket   = local.buckets[each.value.on]
  role     = each.value.role
  member   = local.who[each.value.who]
}

resource "google_storage_bucket_iam_member" "evidence" {
  for_each = { for grant in local.evidence_grants : "${grant.who} ${grant.role}" => grant }
  bucket   = local.buckets["evidence"]
  role     = each.value.role
  member   = local.who[each.value.who]

  condition {
    title      = each.value.title
    expression = each.value.condition
  }
}

resource "google_secret_manager_secret_iam_member" "grant" {
  count     = length(local.secret_grants)
  secret_id = local.secret_grants[count.index].on
  role      = local.secret_grants[count.index].role
  member    = local.who[local.secret_grants[count.index].who]
}

resource "google_artifact_registry_repository_iam_member" "grant" {
  for_each   = { for grant in local.repository_grants : "${grant.who} ${grant.role}" => grant }
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = each.value.role
  member     = local.who[each.value.who]
}

resource "google_cloud_run_v2_service_iam_member" "grant" {
  for_each = { for grant in local.service_grants : "${grant.who} ${grant.role}" => grant }
  location = google_cloud_run_v2_service.pg01.location
  name     = google_cloud_run_v2_service.pg01.name
  role     = each.value.role
  member   = local.who[each.value.who]
}

resource "google_cloud_run_v2_job_iam_member" "grant" {
  for_each = { for grant in local.job_grants : "${grant.who} ${grant.role}" => grant }
  location = google_cloud_run_v2_job.pg01.location
  name     = google_cloud_run_v2_job.pg01.name
  role     = each.value.role
  member   = local.who[each.value.who]
}

resource "google_service_account_iam_member" "grant" {
  for_each           = { for grant in local.account_grants : "${grant.who} ${grant.role} ${grant.on}" => grant }
  service_account_id = google_service_account.role[each.value.on].name
  role               = each.value.role
  member             = local.who[each.value.who]
}
