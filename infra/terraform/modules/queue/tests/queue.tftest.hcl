# No mock: Terraform has none for what is ephemeral. The test that runs this stands in for AWS where a plan asks it.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name                   = "a123456789-123456789-123456789-123456789"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  client_security_groups = { processes = "sg-1" }
  password_secret_arn    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:password-AbCdEf"
}

run "names_fit" {
  command = plan

  assert {
    condition     = length(aws_elasticache_replication_group.this[0].replication_group_id) <= 40 && length(aws_elasticache_user_group.this[0].user_group_id) <= 40
    error_message = "ElastiCache takes names of 40 characters at most."
  }

  assert {
    condition     = length(aws_cloudformation_stack.user[0].name) <= 128 && length(aws_elasticache_parameter_group.this[0].name) <= 255 && length(aws_security_group.this[0].name) <= 255
    error_message = "A name is too long."
  }
}

run "one_node_has_no_other_to_fail_over_to" {
  command = plan

  assert {
    condition     = !aws_elasticache_replication_group.this[0].automatic_failover_enabled && length(aws_cloudwatch_metric_alarm.memory) == 1
    error_message = "A single node fails over, or has not one alarm."
  }
}

run "each_of_two_nodes_is_watched" {
  command = plan

  variables {
    nodes = 2
  }

  assert {
    condition     = aws_elasticache_replication_group.this[0].automatic_failover_enabled && aws_elasticache_replication_group.this[0].multi_az_enabled
    error_message = "Two nodes do not fail over."
  }

  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.memory : alarm.dimensions.CacheClusterId]) == toset(["${var.name}-001", "${var.name}-002"]) && output.node_ids == tolist(["${var.name}-001", "${var.name}-002"])
    error_message = "Not each node has an alarm."
  }
}

run "the_user_is_held_to_its_keys_and_reads_its_password_from_the_secret" {
  command = plan

  variables {
    redis_prefix = "pictures"
  }

  assert {
    condition     = strcontains(local.access, "~{pictures}:* &{pictures}:* -@all") && strcontains(local.access, "-@dangerous")
    error_message = "The user may touch keys of others, or is dangerous."
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.user[0].template_body).Resources.User.Properties.Passwords == ["{{resolve:secretsmanager:${var.password_secret_arn}:SecretString}}"]
    error_message = "The password is not read from the secret."
  }
}

run "a_new_password_changes_the_user_and_the_url" {
  command = plan

  variables {
    password_version = 2
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.user[0].template_body).Outputs.PasswordVersion.Value == "2" && aws_secretsmanager_secret_version.url[0].secret_string_wo_version == 2
    error_message = "The user or the URL keeps the password before."
  }
}

run "evicts_nothing" {
  command = plan

  assert {
    condition     = contains([for parameter in aws_elasticache_parameter_group.this[0].parameter : "${parameter.name}=${parameter.value}"], "maxmemory-policy=noeviction")
    error_message = "Valkey may evict what was promised."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create     = false
    subnet_ids = []
  }

  assert {
    condition     = length(aws_elasticache_replication_group.this) + length(aws_cloudwatch_metric_alarm.memory) + length(aws_vpc_security_group_ingress_rule.clients) == 0 && output.url_secret_arn == null
    error_message = "Something is made."
  }
}

run "refuses_no_subnets" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_serverless_cache" {
  command = plan

  variables {
    node_type = "serverless"
  }

  expect_failures = [var.node_type]
}

run "refuses_more_nodes_than_a_group_has" {
  command = plan

  variables {
    nodes = 7
  }

  expect_failures = [var.nodes]
}

run "refuses_an_alarm_that_comes_too_late" {
  command = plan

  variables {
    memory_alarm_percent = 85
  }

  expect_failures = [var.memory_alarm_percent]
}

run "refuses_a_prefix_that_processes_refuse" {
  command = plan

  variables {
    redis_prefix = "Pictures"
  }

  expect_failures = [var.redis_prefix]
}
