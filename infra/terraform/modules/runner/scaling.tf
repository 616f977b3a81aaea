resource "aws_appautoscaling_target" "this" {
  for_each = local.pools

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  tags               = var.tags
}

# An exact capacity may also be a smaller one: the cooldown holds that up, and nothing that grows.
resource "aws_appautoscaling_policy" "out" {
  for_each = local.pools

  name               = "${var.name}-${each.key}-out"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = each.value.idle_minutes * 60

    dynamic "step_adjustment" {
      for_each = local.steps[each.key]

      content {
        scaling_adjustment          = step_adjustment.value.capacity
        metric_interval_lower_bound = step_adjustment.value.lower
        metric_interval_upper_bound = step_adjustment.value.upper
      }
    }
  }
}

resource "aws_appautoscaling_policy" "in" {
  for_each = local.pools

  name               = "${var.name}-${each.key}-in"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 60

    step_adjustment {
      scaling_adjustment          = each.value.min
      metric_interval_upper_bound = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "out" {
  for_each = local.pools

  alarm_name          = "${var.name}-${each.key}-out"
  alarm_description   = "Generations wait or run in the pool ${each.key}: its runners are as many as these need."
  namespace           = var.metrics.namespace
  metric_name         = "Backlog"
  dimensions          = local.dimensions[each.key]
  statistic           = "Maximum"
  period              = var.metrics.period
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.out[each.key].arn]
  tags                = var.tags
}

# Missing data is no zero: without a control process runners stay.
resource "aws_cloudwatch_metric_alarm" "in" {
  for_each = local.pools

  alarm_name          = "${var.name}-${each.key}-in"
  alarm_description   = "Nothing has waited or run in the pool ${each.key} for ${each.value.idle_minutes} minutes: its runners go."
  namespace           = var.metrics.namespace
  metric_name         = "Backlog"
  dimensions          = local.dimensions[each.key]
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = each.value.idle_minutes
  threshold           = 0
  comparison_operator = "LessThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.in[each.key].arn]
  tags                = var.tags
}
