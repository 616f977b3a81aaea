locals {
  pools      = var.create ? var.pools : toset([])
  dimensions = { for pool in local.pools : pool => merge({ Pool = pool }, var.metrics.stack == null ? {} : { Stack = var.metrics.stack }) }
  whole      = var.metrics.stack == null ? {} : { Stack = var.metrics.stack }
}

resource "aws_cloudwatch_metric_alarm" "oldest_wait" {
  for_each = local.pools

  alarm_name          = "${var.name}-${each.key}-oldest-wait"
  alarm_description   = "The next generation of the pool ${each.key} has waited for longer than ${var.oldest_wait_minutes} minutes."
  namespace           = var.metrics.namespace
  metric_name         = "OldestWait"
  dimensions          = local.dimensions[each.key]
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = var.oldest_wait_minutes * 60000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

# Spot without capacity, an image that does not start, a driver that is too old: work waits and nobody comes.
resource "aws_cloudwatch_metric_alarm" "no_runners" {
  for_each = local.pools

  alarm_name          = "${var.name}-${each.key}-no-runners"
  alarm_description   = "Generations of the pool ${each.key} wait, and no runner has come for 15 minutes."
  evaluation_periods  = 15
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "stuck"
    expression  = "IF(backlog > 0 AND runners < 1, 1, 0)"
    label       = "Work without runners"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { backlog = "Backlog", runners = "Runners" }

    content {
      id = metric_query.key

      metric {
        namespace   = var.metrics.namespace
        metric_name = metric_query.value
        dimensions  = local.dimensions[each.key]
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "control" {
  count = var.create ? 1 : 0

  alarm_name          = "${var.name}-control-silent"
  alarm_description   = "No backlog has been told for 5 minutes: the control process or Valkey is away, and nothing scales."
  namespace           = var.metrics.namespace
  metric_name         = "Backlog"
  dimensions          = local.whole
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "webhooks" {
  count = var.create ? 1 : 0

  alarm_name          = "${var.name}-webhook-backlog"
  alarm_description   = "More than ${var.webhook_backlog} webhook deliveries are due: receivers are slow, or control processes too few."
  namespace           = var.metrics.namespace
  metric_name         = "WebhookBacklog"
  dimensions          = local.whole
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  threshold           = var.webhook_backlog
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
