locals {
  user = "nextscale"
  # As ElastiCache names them.
  node_ids = var.create ? [for index in range(var.nodes) : format("%s-%03d", var.name, index + 1)] : []
  # The commands that processes use, as the project's README has them.
  access = join(" ", [
    "on ~{${var.redis_prefix}}:* &{${var.redis_prefix}}:*",
    "-@all +@read +@write +@scripting +@transaction +@pubsub +@connection +time -@dangerous +info"
  ])
  # ElastiCache's users have no write-only password, so CloudFormation reads it from the secret: it is in neither plan nor state.
  # Version is put in so that a new one changes the template, and with it the user.
  user_template = jsonencode({
    Description = "User of Nextscale's processes in Valkey, password ${var.password_version}"
    Resources = {
      User = {
        Type = "AWS::ElastiCache::User"
        Properties = {
          UserId       = var.name
          UserName     = local.user
          Engine       = "valkey"
          AccessString = local.access
          Passwords    = ["{{resolve:secretsmanager:${coalesce(var.password_secret_arn, "none")}:SecretString}}"]
        }
      }
    }
    Outputs = { UserId = { Value = { Ref = "User" } }, PasswordVersion = { Value = tostring(var.password_version) } }
  })
}

resource "aws_elasticache_subnet_group" "this" {
  count = var.create ? 1 : 0

  name       = var.name
  subnet_ids = var.subnet_ids
  tags       = var.tags
}

resource "aws_elasticache_parameter_group" "this" {
  count = var.create ? 1 : 0

  name        = var.name
  family      = "valkey8"
  description = "Nothing is evicted: what is in the queue was promised"
  tags        = var.tags

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_security_group" "this" {
  count = var.create ? 1 : 0

  name        = "${var.name}-valkey"
  description = "Valkey: in from the processes, out to nowhere"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-valkey" })
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = { for name, id in var.client_security_groups : name => id if var.create }

  security_group_id            = aws_security_group.this[0].id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  tags                         = var.tags
}

resource "aws_cloudformation_stack" "user" {
  count = var.create ? 1 : 0

  name          = "${var.name}-valkey-user"
  template_body = local.user_template
  tags          = var.tags
}

resource "aws_elasticache_user_group" "this" {
  count = var.create ? 1 : 0

  user_group_id = var.name
  engine        = "valkey"
  user_ids      = [var.name]
  tags          = var.tags

  depends_on = [aws_cloudformation_stack.user]
}

resource "aws_elasticache_replication_group" "this" {
  count = var.create ? 1 : 0

  replication_group_id       = var.name
  description                = "Queue of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.node_type
  num_cache_clusters         = var.nodes
  automatic_failover_enabled = var.nodes > 1
  multi_az_enabled           = var.nodes > 1
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [aws_security_group.this[0].id]
  user_group_ids             = [aws_elasticache_user_group.this[0].id]
  port                       = 6379
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  kms_key_id                 = var.kms_key_id
  snapshot_retention_limit   = var.snapshot_days
  auto_minor_version_upgrade = true
  apply_immediately          = var.apply_immediately
  tags                       = var.tags
}

# Read back, so that a run that broke off between the two secrets writes the same password into both.
ephemeral "aws_secretsmanager_secret_version" "password" {
  count = var.create ? 1 : 0

  secret_id = var.password_secret_arn
}

resource "aws_secretsmanager_secret" "url" {
  count = var.create ? 1 : 0

  name                    = "${var.name}/redis-url"
  description             = "REDIS_URL of the processes, with user and password"
  kms_key_id              = var.kms_key_id
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "url" {
  count = var.create ? 1 : 0

  secret_id = aws_secretsmanager_secret.url[0].id
  secret_string_wo = format("rediss://%s:%s@%s:6379", local.user,
    ephemeral.aws_secretsmanager_secret_version.password[0].secret_string,
    aws_elasticache_replication_group.this[0].primary_endpoint_address
  )
  secret_string_wo_version = var.password_version
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each = toset(local.node_ids)

  alarm_name          = "${each.key}-valkey-memory"
  alarm_description   = "From 85 % of its memory on, the API takes nothing new. Take a larger node_type, or find what does not drain."
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions          = { CacheClusterId = each.key }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  threshold           = var.memory_alarm_percent
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
