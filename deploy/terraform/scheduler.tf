# The guide's schedule. The service answers at once and starts the job, so a long run never meets the deadline of a call.
resource "google_cloud_scheduler_job" "monthly" {
  name             = "sox-pg01-monthly"
  region           = var.region
  schedule         = "0 9 1 * *"
  time_zone        = "Europe/Paris"
  attempt_deadline = "180s"

  http_target {
    uri         = "${local.url}/"
    http_method = "POST"
    body        = base64encode("{\"cutoff_date\": null}")
    headers = {
      "Content-Type" = "application/json"
      "Prefer"       = "respond-async"
    }

    oidc_token {
      service_account_email = google_service_account.role["scheduler"].email
      audience              = local.url
    }
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "60s"
    max_backoff_duration = "600s"
  }

  depends_on = [google_cloud_run_v2_service.pg01]
}
