locals {
  lambda  = var.create && var.mode == "lambda"
  service = var.create && var.mode == "service"
  # Load balancers and target groups have 32 characters at most.
  short = length(var.name) <= 28 ? var.name : "${trimsuffix(substr(var.name, 0, 21), "-")}-${substr(sha1(var.name), 0, 6)}"

  environment = merge(
    {
      S3_BUCKET        = var.pictures.bucket
      S3_REGION        = data.aws_region.current.id
      REDIS_SECRET_ARN = var.redis_secret_arn
      REDIS_PREFIX     = var.redis_prefix
    },
    var.pictures.prefix == "" ? {} : { S3_PREFIX = var.pictures.prefix },
    var.settings
  )
  service_environment = merge({ HOST = "0.0.0.0", PORT = "8080", TRUST_PROXY = "1", SHUTDOWN_DELAY_MS = "15000" }, local.environment)
}

data "aws_region" "current" {}

# What the API does with pictures: links and marks, looks, and removals.
data "aws_iam_policy_document" "process" {
  statement {
    sid       = "Pictures"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
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

  dynamic "statement" {
    for_each = local.lambda ? [1] : []

    content {
      sid       = "Log"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${aws_cloudwatch_log_group.this[0].arn}:*"]
    }
  }

  # Lambda makes the network interfaces before it has any to name; AWS takes no resource for these actions.
  dynamic "statement" {
    for_each = var.mode == "lambda" ? [1] : []

    content {
      sid = "NetworkInterfaces"
      actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeSubnets",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses"
      ]
      resources = ["*"]
    }
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [var.mode == "lambda" ? "lambda.amazonaws.com" : "ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "process" {
  count = var.create ? 1 : 0

  name               = "${var.name}-api"
  description        = "API of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "process" {
  count = var.create ? 1 : 0

  name   = "process"
  role   = aws_iam_role.process[0].id
  policy = data.aws_iam_policy_document.process.json
}

resource "aws_cloudwatch_log_group" "this" {
  count = var.create ? 1 : 0

  name              = var.mode == "lambda" ? "/aws/lambda/${var.name}-api" : "/nextscale/${var.name}/api"
  retention_in_days = var.log_days
  tags              = var.tags
}
