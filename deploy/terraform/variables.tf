variable "project_id" {
  description = "Project that holds everything"
  type        = string
}

variable "region" {
  description = "Region of Cloud Run, the images and the scheduler; must lie inside `location`"
  type        = string
  default     = "europe-west1"
}

variable "location" {
  description = "Location of the dataset and the buckets; BigQuery loads only from buckets that agree with it"
  type        = string
  default     = "EU"
}

variable "dataset" {
  description = "Dataset of the validated extracts"
  type        = string
  default     = "jumia_sox_reconciliation"
}

variable "image" {
  description = "Image by digest: REGION-docker.pkg.dev/PROJECT/soxauto/soxauto@sha256:…"
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest, so that what was reviewed is what runs."
  }
}

variable "network" {
  description = "VPC network that reaches the SQL Server (../network.md)"
  type        = string
  default     = "soxauto"
}

variable "subnet" {
  description = "Its subnet in the region, of which Cloud Run takes addresses"
  type        = string
  default     = "soxauto-run"
}

variable "auditors" {
  description = "Who may act as the auditor account, as group:… or user:…"
  type        = string
}

variable "deployers" {
  description = "Who may act as the deployer account, as group:… or user:…"
  type        = string
}

variable "closers" {
  description = "Who may dispose, sign, close and reopen as themselves, as group:… or user:…; none of them a deployer or an auditor"
  type        = string
}

variable "uploaders" {
  description = "Who may upload files that items are read from, as group:… or user:…"
  type        = string
}

variable "oncall_email" {
  description = "Address that gets the alerts"
  type        = string
}

variable "working_day" {
  description = "Working day of the month by whose morning the last month must be closed and published"
  type        = number
  default     = 5
}

variable "retention_locked" {
  description = "Locks the seven years for ever; cannot be undone, so only after the first verified run"
  type        = bool
  default     = false
}

variable "ingress" {
  description = "Who reaches the service at all; INGRESS_TRAFFIC_ALL while it is being tested by hand"
  type        = string
  default     = "INGRESS_TRAFFIC_INTERNAL_ONLY"
}

variable "server_certificate" {
  description = "Whether the SQL Server's certificate is mounted from the secret SQL_SERVER_CERTIFICATE (../network.md, step 4)"
  type        = bool
  default     = false
}

variable "alert_webhook" {
  description = "Whether a chat is told of failures and findings; the secret ALERT_WEBHOOK_URL holds the URL of its webhook"
  type        = bool
  default     = false
}

variable "service_account_key" {
  description = "Whether the secret GOOGLE_SERVICE_ACCOUNT_CREDENTIALS of the old guide is kept"
  type        = bool
  default     = false
}

variable "drive_folder_id" {
  description = "Folder of a shared drive that summary and manifests of each package are copied to; none while it is empty"
  type        = string
  default     = ""
}
