locals {
  # Names of a gateway's and a load balancer's own metrics.
  api = !var.create || var.api == null ? null : var.api.mode == "lambda" ? {
    namespace  = "AWS/ApiGateway"
    dimensions = { ApiId = var.api.id }
    requests   = "Count"
    errors     = ["5xx"]
    latency    = "Latency"
    } : {
    namespace  = "AWS/ApplicationELB"
    dimensions = { LoadBalancer = var.api.id }
    requests   = "RequestCount"
    # Those of the API, and those of the balancer when there is no API to ask.
    errors  = ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"]
    latency = "TargetResponseTime"
  }
  api_errors = local.api == null ? {} : { for index, name in local.api.errors : "errors${index}" => name }
}

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  count = var.create && var.api != null ? 1 : 0

  alarm_name          = "${var.name}-server-errors"
  alarm_description   = "More than ${var.server_error_percent} % of requests have been answered 5xx for 5 minutes: Valkey is away or full, or the API fails."
  evaluation_periods  = 5
  threshold           = var.server_error_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "share"
    expression  = "100 * (${join(" + ", [for id in sort(keys(local.api_errors)) : "FILL(${id}, 0)"])}) / requests"
    label       = "Answers 5xx, in percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = merge({ requests = local.api.requests }, local.api_errors)

    content {
      id = metric_query.key

      metric {
        namespace   = local.api.namespace
        metric_name = metric_query.value
        dimensions  = local.api.dimensions
        period      = 60
        stat        = "Sum"
      }
    }
  }
}
