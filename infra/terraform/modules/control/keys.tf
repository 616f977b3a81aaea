# For the task that makes the first API key: nothing that runs all the time may write a secret.
data "aws_iam_policy_document" "keys" {
  count = local.keys ? 1 : 0

  statement {
    sid       = "RedisUrl"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.redis_secret_arn]
  }

  statement {
    sid       = "ApiKey"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [var.api_key_secret_arn]
  }

  dynamic "statement" {
    for_each = var.redis_secret_key_arn == null ? [] : [var.redis_secret_key_arn]

    content {
      sid       = "Keys"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "keys" {
  count = local.keys ? 1 : 0

  name               = "${var.name}-keys"
  description        = "Task that makes the first API key of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "keys" {
  count = local.keys ? 1 : 0

  name   = "keys"
  role   = aws_iam_role.keys[0].id
  policy = data.aws_iam_policy_document.keys[0].json
}
