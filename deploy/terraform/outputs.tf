output "url" {
  description = "Address of the service, and audience of its callers' tokens"
  value       = local.url
}

output "accounts" {
  description = "Service account of each role"
  value       = { for name, account in google_service_account.role : name => account.email }
}

output "buckets" {
  description = "Where parts, evidence, leases and uploaded files lie"
  value       = local.buckets
}

output "start_a_run" {
  description = "Command that starts the month by hand"
  value       = "gcloud run jobs execute ${local.job} --region=${var.region} --wait"
}
