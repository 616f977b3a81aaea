output "alarm_arns" {
  description = "ARNs of the alarms of each pool"
  value       = { for pool in local.pools : pool => [aws_cloudwatch_metric_alarm.oldest_wait[pool].arn, aws_cloudwatch_metric_alarm.no_runners[pool].arn] }
}

output "dashboard_name" {
  description = "Name of the dashboard"
  value       = try(aws_cloudwatch_dashboard.this[0].dashboard_name, null)
}
