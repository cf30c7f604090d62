locals {
  # Seven years of 365.25 days: how long the evidence, and the parts that it names, must be kept.
  retention_seconds = 220903200

  # What a sealed package or its parts must not lose lies under retention. Leases are small, and must not.
  retained = toset(["staging", "evidence"])
}

resource "google_storage_bucket" "retained" {
  for_each                    = local.retained
  name                        = "${var.project_id}-soxauto-${each.value}"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  retention_policy {
    retention_period = local.retention_seconds
    is_locked        = var.retention_locked
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_storage_bucket" "leases" {
  name                        = "${var.project_id}-soxauto-leases"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  # Signs of life of runs that ended long ago. Who held a month, and in which order, stays.
  lifecycle_rule {
    condition {
      age            = 30
      matches_suffix = [".beat"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Files that items are read from. People add to them and replace none; versions keep what an Owner would.
resource "google_storage_bucket" "files" {
  name                        = "${var.project_id}-soxauto-files"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Sources on their way to Cloud Build.
resource "google_storage_bucket" "build" {
  name                        = "${var.project_id}-soxauto-build"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  depends_on                  = [google_project_service.api]
}
