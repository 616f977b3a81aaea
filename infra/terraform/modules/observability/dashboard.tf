locals {
  # What CloudWatch takes as one line of a graph: namespace, metric, and names and values of its dimensions in turn.
  pool_lines = { for metric in ["Backlog", "OldestWait", "Runners"] : metric => [for pool in sort(local.pools) : concat(
    [var.metrics.namespace, metric], flatten([for name, value in local.dimensions[pool] : [name, value]]), [{ label = pool }]
  )] }
  api_dimensions = local.api == null ? [] : flatten([for name, value in local.api.dimensions : [name, value]])

  graphs = concat(
    [
      { title = "Generations that wait or run", stat = "Maximum", lines = local.pool_lines["Backlog"] },
      { title = "Runners", stat = "Maximum", lines = local.pool_lines["Runners"] },
      { title = "Wait of the next generation, ms", stat = "Maximum", lines = local.pool_lines["OldestWait"] },
      { title = "Webhook deliveries due", stat = "Maximum", lines = [concat([var.metrics.namespace, "WebhookBacklog"], flatten([for name, value in local.whole : [name, value]]))] }
    ],
    local.api == null ? [] : [
      { title = "Requests, and those answered 5xx", stat = "Sum", lines = [for metric in concat([local.api.requests], local.api.errors) : concat([local.api.namespace, metric], local.api_dimensions)] },
      { title = "Latency of requests", stat = "p95", lines = [concat([local.api.namespace, local.api.latency], local.api_dimensions)] }
    ],
    length(var.valkey_nodes) == 0 ? [] : [
      { title = "Memory of Valkey, percent", stat = "Maximum", lines = [for node in var.valkey_nodes : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node]] },
      { title = "CPU of Valkey, percent", stat = "Maximum", lines = [for node in var.valkey_nodes : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", node]] }
    ]
  )
}

data "aws_region" "current" {}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      width  = 12
      height = 6
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      properties = {
        title   = graph.title
        region  = data.aws_region.current.id
        view    = "timeSeries"
        period  = 60
        stat    = graph.stat
        metrics = graph.lines
      }
    }]
  })
}
