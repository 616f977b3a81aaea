data "aws_iam_policy_document" "assume_task" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "assume_machine" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# A runner reads its models, puts pictures, and protects its own task; it lists and removes nothing.
data "aws_iam_policy_document" "process" {
  for_each = local.pools

  statement {
    sid       = "Models"
    actions   = ["s3:GetObject"]
    resources = local.model_objects[each.key]
  }

  statement {
    sid       = "Pictures"
    actions   = ["s3:PutObject"]
    resources = ["${var.pictures.bucket_arn}/${var.pictures.prefix}generations/*"]
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

  statement {
    sid       = "Protection"
    actions   = ["ecs:UpdateTaskProtection"]
    resources = ["${replace(var.cluster_arn, ":cluster/", ":task/")}/*"]
  }
}

resource "aws_iam_role" "process" {
  for_each = local.pools

  # 64 characters at most: 40, 20 of a pool, and three.
  name               = "${var.name}-r-${each.key}"
  description        = "Runners of the pool ${each.key}"
  assume_role_policy = data.aws_iam_policy_document.assume_task.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "process" {
  for_each = local.pools

  name   = "process"
  role   = aws_iam_role.process[each.key].id
  policy = data.aws_iam_policy_document.process[each.key].json
}

data "aws_iam_policy_document" "execution" {
  count = var.create ? 1 : 0

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in aws_cloudwatch_log_group.this : "${group.arn}:*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = var.repository_arns
  }

  # AWS takes no resource for this action.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "execution" {
  count = var.create ? 1 : 0

  name               = "${var.name}-runner-start"
  description        = "What ECS needs to start runners of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume_task.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "execution" {
  count = var.create ? 1 : 0

  name   = "start"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution[0].json
}

# The machine is a member of the cluster and nothing else: AWS' own policy for that is the one its agent is tested with.
resource "aws_iam_role" "machine" {
  count = var.create ? 1 : 0

  name               = "${var.name}-machine"
  description        = "Machines of runners of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume_machine.json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "machine" {
  count = var.create ? 1 : 0

  role       = aws_iam_role.machine[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "machine" {
  count = var.create ? 1 : 0

  name = "${var.name}-machine"
  role = aws_iam_role.machine[0].name
  tags = var.tags
}
