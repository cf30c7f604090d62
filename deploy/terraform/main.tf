# Everything that runs PG-01 in one Google Cloud project: the same resources as the commands of ../README.md.
# It holds no state, no secret value and no image: they come from outside (see ../README.md, "Terraform").

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.30, < 8.0"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

data "google_project" "this" {
  depends_on = [google_project_service.api]
}

locals {
  apis = toset([
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "bigquerydatatransfer.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])
  service = "soxauto-pg01"
  job     = "soxauto-pg01-run"
  # The address that Cloud Run gives this service; known before it is deployed, so that it can be its own audience.
  url = "https://${local.service}-${data.google_project.this.number}.${var.region}.run.app"
}

resource "google_project_service" "api" {
  for_each           = setunion(local.apis, var.drive_folder_id == "" ? [] : ["drive.googleapis.com"])
  service            = each.value
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  location      = var.region
  repository_id = "soxauto"
  format        = "DOCKER"
  description   = "Images of PG-01"
  depends_on    = [google_project_service.api]

  docker_config {
    immutable_tags = true
  }
}

resource "google_secret_manager_secret" "connection" {
  secret_id = "DB_CREDENTIALS_NAV_BI"

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

# Only where a chat is told of failures and findings; its value is the URL of the chat's webhook.
resource "google_secret_manager_secret" "webhook" {
  count     = var.alert_webhook ? 1 : 0
  secret_id = "ALERT_WEBHOOK_URL"

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

# Only where the runner cannot use its own identity, as outside Google Cloud.
resource "google_secret_manager_secret" "key" {
  count     = var.service_account_key ? 1 : 0
  secret_id = "GOOGLE_SERVICE_ACCOUNT_CREDENTIALS"

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}
