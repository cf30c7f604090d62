# Metrics and policies are read from ../alerts, so that the commands of the guide and Terraform make the same ones.

locals {
  metrics  = [for name in fileset("${path.module}/../alerts", "metric-*.json") : jsondecode(file("${path.module}/../alerts/${name}"))]
  policies = [for name in fileset("${path.module}/../alerts", "policy-*.json") : jsondecode(file("${path.module}/../alerts/${name}"))]
}

resource "google_monitoring_notification_channel" "oncall" {
  display_name = "PG-01 on call"
  type         = "email"
  labels       = { email_address = var.oncall_email }
  depends_on   = [google_project_service.api]
}

resource "google_logging_metric" "soxauto" {
  for_each    = { for metric in local.metrics : metric.name => metric }
  name        = each.key
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = each.value.metricDescriptor.metricKind
    value_type  = each.value.metricDescriptor.valueType
  }
}

resource "google_monitoring_alert_policy" "soxauto" {
  for_each              = { for policy in local.policies : policy.displayName => policy }
  display_name          = each.key
  combiner              = each.value.combiner
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.oncall.id]
  depends_on            = [google_logging_metric.soxauto]

  documentation {
    content   = each.value.documentation.content
    mime_type = each.value.documentation.mimeType
  }

  dynamic "conditions" {
    for_each = each.value.conditions
    content {
      display_name = conditions.value.displayName

      condition_threshold {
        filter          = conditions.value.conditionThreshold.filter
        comparison      = conditions.value.conditionThreshold.comparison
        threshold_value = conditions.value.conditionThreshold.thresholdValue
        duration        = conditions.value.conditionThreshold.duration

        dynamic "aggregations" {
          for_each = conditions.value.conditionThreshold.aggregations
          content {
            alignment_period     = aggregations.value.alignmentPeriod
            per_series_aligner   = aggregations.value.perSeriesAligner
            cross_series_reducer = aggregations.value.crossSeriesReducer
          }
        }
      }
    }
  }

  alert_strategy {
    auto_close = each.value.alertStrategy.autoClose
  }
}
