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
}

variables {
  name               = "a123456789-123456789-123456789-123456789"
  image              = "registry/nextscale:1"
  repository_arn     = "arn:aws:ecr:eu-central-1:123456789012:repository/nextscale"
  metrics            = { namespace = "Nextscale/prod" }
  pictures           = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures" }
  redis_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url-AbCdEf"
  subnet_ids         = ["subnet-1"]
  security_group_id  = "sg-1"
  has_api_key_secret = true
  api_key_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf"
}

run "names_fit" {
  command = plan

  assert {
    condition     = alltrue([for role in concat(aws_iam_role.process, aws_iam_role.execution, aws_iam_role.keys) : length(role.name) <= 64])
    error_message = "A role's name is longer than 64."
  }

  assert {
    condition     = length(aws_ecs_cluster.this[0].name) <= 255 && length(aws_ecs_service.this[0].name) <= 255 && length(aws_ecs_task_definition.this[0].family) <= 255 && length(aws_cloudwatch_log_group.this[0].name) <= 512
    error_message = "A name is too long."
  }
}

run "is_told_where_things_are" {
  command = apply

  variables {
    metrics  = { namespace = "Nextscale", stack = "prod" }
    pictures = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures", prefix = "a/" }
    settings = { SWEEP_INTERVAL_MS = "30000" }
  }

  assert {
    condition = { for each in jsondecode(aws_ecs_task_definition.this[0].container_definitions)[0].environment : each.name => each.value } == {
      EMF_NAMESPACE     = "Nextscale"
      EMF_STACK         = "prod"
      REDIS_PREFIX      = "nextscale"
      REDIS_SECRET_ARN  = var.redis_secret_arn
      S3_BUCKET         = "pictures"
      S3_PREFIX         = "a/"
      S3_REGION         = "eu-central-1"
      SWEEP_INTERVAL_MS = "30000"
    }
    error_message = "The settings are others."
  }
}

run "has_no_public_address_unless_asked" {
  command = plan

  assert {
    condition     = !aws_ecs_service.this[0].network_configuration[0].assign_public_ip
    error_message = "It has a public address."
  }
}

run "has_one_where_asked" {
  command = plan

  variables {
    public_address = true
  }

  assert {
    condition     = aws_ecs_service.this[0].network_configuration[0].assign_public_ip
    error_message = "It has no public address."
  }
}

run "reads_a_secret_of_a_key_of_ones_own" {
  command = plan

  variables {
    redis_secret_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition     = contains(flatten([for statement in data.aws_iam_policy_document.process.statement : statement.actions]), "kms:Decrypt")
    error_message = "It may not decrypt the secret."
  }
}

run "has_no_role_for_keys_unless_asked" {
  command = plan

  variables {
    has_api_key_secret = false
    api_key_secret_arn = null
  }

  assert {
    condition     = length(aws_iam_role.keys) == 0 && output.keys_role_arn == null
    error_message = "There is a role that may write secrets."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_ecs_service.this) + length(aws_iam_role.process) + length(aws_iam_role.keys) + length(aws_cloudwatch_log_group.this) == 0 && output.cluster_arn == null
    error_message = "Something is made."
  }
}

run "refuses_a_role_for_keys_without_their_secret" {
  command = plan

  variables {
    api_key_secret_arn = null
  }

  expect_failures = [var.has_api_key_secret]
}

run "refuses_a_namespace_of_aws" {
  command = plan

  variables {
    metrics = { namespace = "AWS/Nextscale" }
  }

  expect_failures = [var.metrics]
}

run "refuses_secrets_among_settings" {
  command = plan

  variables {
    settings = { WEBHOOK_SIGNING_KEYS = "whsk_" }
  }

  expect_failures = [var.settings]
}

run "refuses_none" {
  command = plan

  variables {
    tasks = 0
  }

  expect_failures = [var.tasks]
}

run "refuses_what_fargate_has_not" {
  command = plan

  variables {
    architecture = "RISCV"
    log_days     = 31
    subnet_ids   = []
    pictures     = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures", prefix = "a" }
  }

  expect_failures = [var.architecture, var.log_days, var.subnet_ids, var.pictures]
}
