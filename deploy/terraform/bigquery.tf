# The tables come with the first run: the program makes them from the contracts, partitioned by month.
resource "google_bigquery_dataset" "control" {
  dataset_id  = var.dataset
  location    = var.location
  description = "PG-01: validated extracts, one table an item, one partition a month"
  depends_on  = [google_project_service.api]

  lifecycle {
    prevent_destroy = true
  }
}

# Fails, and so alerts, from working day N on while the last month is not closed, as far as it was published.
resource "google_bigquery_data_transfer_config" "deadline" {
  display_name         = "soxauto-deadline"
  data_source_id       = "scheduled_query"
  location             = var.location
  schedule             = "every mon,tue,wed,thu,fri 08:00"
  service_account_name = google_service_account.role["auditor"].email

  params = {
    query = templatefile("${path.module}/../alerts/deadline.sql", {
      PROJECT_ID  = var.project_id
      DATASET     = google_bigquery_dataset.control.dataset_id
      WORKING_DAY = var.working_day
    })
  }

  depends_on = [google_project_iam_member.grant, google_bigquery_dataset_iam_member.grant]
}
