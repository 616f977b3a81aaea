# Made anew by every run, written only where password_version has changed, and in neither plan nor state.
ephemeral "aws_secretsmanager_random_password" "redis" {
  count = var.create ? 1 : 0

  password_length     = 48
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "redis_password" {
  count = var.create ? 1 : 0

  name                    = "${var.name}/redis-password"
  description             = "Password of the processes' user in Valkey"
  kms_key_id              = var.kms_key_id
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "redis_password" {
  count = var.create ? 1 : 0

  secret_id                = aws_secretsmanager_secret.redis_password[0].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.redis[0].random_password
  secret_string_wo_version = var.password_version
}

# Empty: what makes the first API key puts it here, and people read it from here.
resource "aws_secretsmanager_secret" "api_key" {
  count = var.create ? 1 : 0

  name                    = "${var.name}/first-api-key"
  description             = "First API key of ${var.name}"
  kms_key_id              = var.kms_key_id
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}
