mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1", name = "eu-central-1" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made" }
  }

  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/made/0123456789abcdef" }
  }

  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/made/0123456789abcdef" }
  }
}

variables {
  name              = "a123456789-123456789-123456789-123456789"
  pictures          = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures" }
  redis_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url-AbCdEf"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  lambda            = { package = "tests/api.tftest.hcl" }
  service = {
    image               = "registry/nextscale:1"
    repository_arn      = "arn:aws:ecr:eu-central-1:123456789012:repository/nextscale"
    cluster_arn         = "arn:aws:ecs:eu-central-1:123456789012:cluster/prod"
    cluster_name        = "prod"
    certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    balancer_subnet_ids = ["subnet-3", "subnet-4"]
  }
}

run "a_function_has_names_that_fit" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.this[0].function_name) <= 64 && length(aws_iam_role.process[0].name) <= 64 && length(aws_apigatewayv2_api.this[0].name) <= 128
    error_message = "A name is too long."
  }

  assert {
    condition     = length(aws_lb.this) + length(aws_ecs_service.this) + length(aws_security_group.balancer) == 0
    error_message = "A function needs no load balancer."
  }
}

run "a_function_is_throttled_and_told_where_things_are" {
  command = plan

  variables {
    throttling = { rate = 5, burst = 7 }
  }

  assert {
    condition     = aws_apigatewayv2_stage.default[0].default_route_settings[0].throttling_rate_limit == 5 && aws_apigatewayv2_stage.default[0].default_route_settings[0].throttling_burst_limit == 7
    error_message = "The gateway takes more."
  }

  assert {
    condition     = aws_lambda_function.this[0].environment[0].variables == tomap({ REDIS_PREFIX = "nextscale", REDIS_SECRET_ARN = var.redis_secret_arn, S3_BUCKET = "pictures", S3_REGION = "eu-central-1" })
    error_message = "The settings are others."
  }
}

run "a_service_has_names_that_fit" {
  command = plan

  variables {
    mode = "service"
  }

  assert {
    condition     = length(aws_lb.this[0].name) <= 32 && length(aws_lb_target_group.this[0].name) <= 32 && can(regex("^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", aws_lb.this[0].name))
    error_message = "A load balancer or a target group has 32 letters, digits and hyphens at most."
  }

  assert {
    condition     = alltrue([for role in concat(aws_iam_role.process, aws_iam_role.execution) : length(role.name) <= 64]) && length(aws_security_group.balancer[0].name) <= 255
    error_message = "A name is too long."
  }

  assert {
    condition     = length(aws_lambda_function.this) + length(aws_apigatewayv2_api.this) == 0
    error_message = "A service needs no function."
  }
}

run "two_long_names_give_two_load_balancers" {
  command = plan

  variables {
    mode = "service"
    name = "a123456789-123456789-123456789-12345678b"
  }

  assert {
    condition     = aws_lb.this[0].name != run.a_service_has_names_that_fit.balancer_name
    error_message = "Names that differ at their end only are shortened to the same."
  }
}

run "a_service_trusts_the_one_proxy_before_it" {
  command = apply

  variables {
    mode = "service"
  }

  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].environment : each.name => each.value }["TRUST_PROXY"] == "1" && aws_vpc_security_group_ingress_rule.service[0].referenced_security_group_id == aws_security_group.balancer[0].id
    error_message = "It trusts whoever comes, or does not know who asks."
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 2 && aws_appautoscaling_target.this[0].max_capacity == 10
    error_message = "It does not scale."
  }
}

run "makes_no_function" {
  command = plan

  variables {
    create = false
    lambda = null
  }

  assert {
    condition     = length(aws_lambda_function.this) + length(aws_iam_role.process) + length(aws_cloudwatch_log_group.this) == 0 && output.url == null
    error_message = "Something is made."
  }
}

run "makes_no_service" {
  command = plan

  variables {
    create  = false
    mode    = "service"
    service = null
  }

  assert {
    condition     = length(aws_lb.this) + length(aws_ecs_service.this) + length(aws_vpc_security_group_ingress_rule.balancer) == 0
    error_message = "Something is made."
  }
}

run "refuses_another_mode" {
  command = plan

  variables {
    mode = "ec2"
  }

  expect_failures = [var.mode]
}

run "refuses_a_function_without_its_zip" {
  command = plan

  variables {
    lambda = null
  }

  expect_failures = [var.lambda]
}

run "refuses_a_service_without_its_image" {
  command = plan

  variables {
    mode    = "service"
    service = null
  }

  expect_failures = [var.service]
}

run "refuses_what_no_load_balancer_takes" {
  command = plan

  variables {
    mode = "service"
    service = {
      image               = "registry/nextscale:1"
      repository_arn      = "arn:aws:ecr:eu-central-1:123456789012:repository/nextscale"
      cluster_arn         = "arn:aws:ecs:eu-central-1:123456789012:cluster/prod"
      cluster_name        = "prod"
      certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
      balancer_subnet_ids = ["subnet-3"]
      min                 = 3
      max                 = 2
    }
  }

  expect_failures = [var.service]
}

run "refuses_secrets_among_settings" {
  command = plan

  variables {
    settings   = { LINK_SECRET = "x" }
    throttling = { rate = 0, burst = 1 }
  }

  expect_failures = [var.settings, var.throttling]
}
