locals {
  keys = var.create && var.has_api_key_secret
  environment = merge(
    {
      S3_BUCKET        = var.pictures.bucket
      S3_REGION        = data.aws_region.current.id
      REDIS_SECRET_ARN = var.redis_secret_arn
      REDIS_PREFIX     = var.redis_prefix
      EMF_NAMESPACE    = var.metrics.namespace
    },
    var.metrics.stack == null ? {} : { EMF_STACK = var.metrics.stack },
    var.pictures.prefix == "" ? {} : { S3_PREFIX = var.pictures.prefix },
    var.settings
  )
}

data "aws_region" "current" {}

resource "aws_ecs_cluster" "this" {
  count = var.create ? 1 : 0

  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  count = var.create ? 1 : 0

  name              = "/nextscale/${var.name}/control"
  retention_in_days = var.log_days
  tags              = var.tags
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# It removes what has expired, and reads pictures for what webhooks say of them.
data "aws_iam_policy_document" "process" {
  statement {
    sid       = "Pictures"
    actions   = ["s3:GetObject", "s3:DeleteObject"]
    resources = ["${var.pictures.bucket_arn}/${var.pictures.prefix}*"]
  }

  statement {
    sid       = "ListPictures"
    actions   = ["s3:ListBucket"]
    resources = [var.pictures.bucket_arn]
  }

  statement {
    sid       = "RedisUrl"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.redis_secret_arn]
  }

  dynamic "statement" {
    for_each = var.redis_secret_key_arn == null ? [] : [var.redis_secret_key_arn]

    content {
      sid       = "RedisUrlKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  count = var.create ? 1 : 0

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[0].arn}:*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = [var.repository_arn]
  }

  # AWS takes no resource for this action.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "process" {
  count = var.create ? 1 : 0

  name               = "${var.name}-control"
  description        = "Control process of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "process" {
  count = var.create ? 1 : 0

  name   = "process"
  role   = aws_iam_role.process[0].id
  policy = data.aws_iam_policy_document.process.json
}

resource "aws_iam_role" "execution" {
  count = var.create ? 1 : 0

  name               = "${var.name}-control-start"
  description        = "What ECS needs to start the control process of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "execution" {
  count = var.create ? 1 : 0

  name   = "start"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution[0].json
}

resource "aws_ecs_task_definition" "this" {
  count = var.create ? 1 : 0

  family                   = "${var.name}-control"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  task_role_arn            = aws_iam_role.process[0].arn
  execution_role_arn       = aws_iam_role.execution[0].arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  # Fargate has no tmpfs; its disk is encrypted.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "control"
    image                  = var.image
    essential              = true
    command                = ["control"]
    readonlyRootFilesystem = true
    stopTimeout            = 60
    environment            = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    healthCheck            = { command = ["CMD", "node", "/app/infra/images/healthcheck.mjs"], interval = 10, timeout = 5, retries = 6, startPeriod = 60 }
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"], add = [] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[0].name
        awslogs-region        = data.aws_region.current.id
        awslogs-stream-prefix = "control"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  count = var.create ? 1 : 0

  name                               = "${var.name}-control"
  cluster                            = aws_ecs_cluster.this[0].arn
  task_definition                    = aws_ecs_task_definition.this[0].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.tasks
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = var.public_address
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.process]
}
