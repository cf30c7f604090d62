locals {
  # What service and job share: every place is a bucket or a table, nothing is kept on Cloud Run's disk, which is memory.
  settings = merge({
    GCP_PROJECT_ID    = var.project_id
    BIGQUERY_DATASET  = var.dataset
    SOXAUTO_SECRETS   = "gcp:${var.project_id}"
    SOXAUTO_STAGING   = "gs://${google_storage_bucket.retained["staging"].name}"
    SOXAUTO_EVIDENCE  = "gs://${google_storage_bucket.retained["evidence"].name}"
    SOXAUTO_LEASES    = "gs://${google_storage_bucket.leases.name}"
    SOXAUTO_WAREHOUSE = "bigquery://${var.project_id}/${var.dataset}?location=${var.location}"
    SOXAUTO_FILE      = "JDASH=gs://${google_storage_bucket.files.name}/jdash-{period}.csv"
  }, { for secret in google_secret_manager_secret.webhook : "SOXAUTO_ALERT_WEBHOOK" => secret.secret_id }, var.drive_folder_id == "" ? {} : { GOOGLE_DRIVE_FOLDER_ID = var.drive_folder_id })

  # A certificate of the company's own authority, as ../network.md keeps it.
  certificates = var.server_certificate ? ["SQL_SERVER_CERTIFICATE"] : []
}

# The month: one execution, one task, never again by itself. Exit code 1 says findings, 2 that something is not known;
# a repetition would neither find less nor know more, and a person must look first. One task, because a month is judged by
# the task that has every item of it: with more, ../README.md, step 10, gives the second step that judges it.
resource "google_cloud_run_v2_job" "pg01" {
  name     = local.job
  location = var.region

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account = google_service_account.role["runner"].email
      max_retries     = 0
      timeout         = "21600s"

      containers {
        image = var.image
        args  = ["run"]

        resources {
          limits = { cpu = "2", memory = "2Gi" }
        }

        dynamic "env" {
          for_each = local.settings
          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "volume_mounts" {
          for_each = local.certificates
          content {
            name       = "certificate"
            mount_path = "/etc/soxauto"
          }
        }
      }

      dynamic "volumes" {
        for_each = local.certificates
        content {
          name = "certificate"
          secret {
            secret = volumes.value
            items {
              path    = "server.pem"
              version = "latest"
            }
          }
        }
      }

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = var.network
          subnetwork = var.subnet
        }
      }
    }
  }

  depends_on = [google_project_iam_member.grant, google_secret_manager_secret_iam_member.grant]
}

# The guide's endpoints. Cloud Run's own check would take the signature off the token, so the program checks it itself.
resource "google_cloud_run_v2_service" "pg01" {
  name                 = local.service
  location             = var.region
  ingress              = var.ingress
  invoker_iam_disabled = true

  template {
    service_account                  = google_service_account.role["runner"].email
    timeout                          = "3600s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    containers {
      image = var.image
      args = [
        "serve",
        "--audience=${local.url}",
        "--allowed-email=${google_service_account.role["scheduler"].email}",
        "--async-job=projects/${var.project_id}/locations/${var.region}/jobs/${local.job}",
        "--grace-seconds=8",
      ]

      ports {
        container_port = 8080
      }

      resources {
        limits   = { cpu = "2", memory = "2Gi" }
        cpu_idle = false
      }

      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = local.certificates
        content {
          name       = "certificate"
          mount_path = "/etc/soxauto"
        }
      }

      startup_probe {
        http_get {
          path = "/health"
        }
      }

      liveness_probe {
        http_get {
          path = "/health"
        }
      }
    }

    dynamic "volumes" {
      for_each = local.certificates
      content {
        name = "certificate"
        secret {
          secret = volumes.value
          items {
            path    = "server.pem"
            version = "latest"
          }
        }
      }
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = var.network
        subnetwork = var.subnet
      }
    }
  }

  depends_on = [google_project_iam_member.grant, google_secret_manager_secret_iam_member.grant]
}
