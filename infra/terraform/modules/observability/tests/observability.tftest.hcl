mock_provider "aws" {}

variables {
  name    = "a123456789-123456789-123456789-123456789"
  metrics = { namespace = "Nextscale/prod" }
  pools   = ["default", "large"]
}

run "names_fit" {
  command = plan

  variables {
    pools = ["a1234567890123456789"]
    api   = { mode = "lambda", id = "abcdefghij" }
  }

  assert {
    condition = alltrue([for name in concat(
      [for alarm in aws_cloudwatch_metric_alarm.oldest_wait : alarm.alarm_name],
      [for alarm in aws_cloudwatch_metric_alarm.no_runners : alarm.alarm_name],
      [for alarm in concat(aws_cloudwatch_metric_alarm.control, aws_cloudwatch_metric_alarm.webhooks, aws_cloudwatch_metric_alarm.server_errors) : alarm.alarm_name],
      [aws_cloudwatch_dashboard.this[0].dashboard_name]
    ) : length(name) <= 255])
    error_message = "A name is too long."
  }
}

run "each_pool_is_watched" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.oldest_wait) == 2 && length(aws_cloudwatch_metric_alarm.no_runners) == 2
    error_message = "A pool has no alarms."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.oldest_wait["large"].dimensions == tomap({ Pool = "large" }) && length(aws_cloudwatch_metric_alarm.control[0].dimensions) == 0
    error_message = "An alarm looks at dimensions that are not written."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.control[0].treat_missing_data == "breaching"
    error_message = "Silence of the control process does not ring."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.server_errors) == 0
    error_message = "There is an alarm on an API that nobody named."
  }
}

run "stacks_of_one_namespace_are_told_apart" {
  command = plan

  variables {
    metrics = { namespace = "Nextscale", stack = "prod" }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.no_runners["default"].metric_query != null && aws_cloudwatch_metric_alarm.oldest_wait["default"].dimensions == tomap({ Pool = "default", Stack = "prod" })
    error_message = "An alarm looks at all stacks."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.webhooks[0].dimensions == tomap({ Stack = "prod" })
    error_message = "The alarm on webhooks looks at all stacks."
  }
}

run "answers_of_a_gateway_are_watched" {
  command = plan

  variables {
    api = { mode = "lambda", id = "abcdefghij" }
  }

  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.server_errors[0].metric_query : query.metric[0].metric_name if length(query.metric) > 0]) == toset(["Count", "5xx"])
    error_message = "The alarm does not look at the gateway's own metrics."
  }
}

run "answers_of_a_load_balancer_are_watched_and_shown" {
  command = plan

  variables {
    api          = { mode = "service", id = "app/prod-api/0123456789abcdef" }
    valkey_nodes = ["prod-001"]
  }

  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.server_errors[0].metric_query : query.metric[0].metric_name if length(query.metric) > 0]) == toset(["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"])
    error_message = "The alarm does not look at all answers 5xx."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 8
    error_message = "The dashboard does not show backlog, runners, wait, webhooks, requests, latency, memory and CPU."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[0].properties.metrics == [["Nextscale/prod", "Backlog", "Pool", "default", { label = "default" }], ["Nextscale/prod", "Backlog", "Pool", "large", { label = "large" }]]
    error_message = "The dashboard does not show the backlog of each pool."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
    api    = { mode = "lambda", id = "abcdefghij" }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.oldest_wait) + length(aws_cloudwatch_metric_alarm.control) + length(aws_cloudwatch_metric_alarm.server_errors) + length(aws_cloudwatch_dashboard.this) == 0
    error_message = "Something is made."
  }
}

run "refuses_an_unknown_mode" {
  command = plan

  variables {
    api = { mode = "ec2", id = "x" }
  }

  expect_failures = [var.api]
}

run "refuses_no_time_to_start" {
  command = plan

  variables {
    oldest_wait_minutes = 0
  }

  expect_failures = [var.oldest_wait_minutes]
}

run "refuses_a_share_that_never_rings" {
  command = plan

  variables {
    server_error_percent = 100
  }

  expect_failures = [var.server_error_percent]
}
