# No mock: Terraform has none for what is ephemeral. The test that runs this stands in for AWS where a plan asks it.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name = "a123456789-123456789-123456789-123456789"
}

run "keeps_the_password_out_of_the_state" {
  command = plan

  assert {
    condition     = aws_secretsmanager_secret_version.redis_password[0].secret_string == null && aws_secretsmanager_secret_version.redis_password[0].secret_string_wo_version == 1
    error_message = "The password is not write-only."
  }

  assert {
    condition     = aws_secretsmanager_secret.redis_password[0].name == "${var.name}/redis-password" && aws_secretsmanager_secret.api_key[0].name == "${var.name}/first-api-key"
    error_message = "Secrets are not named after the stack."
  }
}

run "writes_a_new_password_with_a_new_version" {
  command = plan

  variables {
    password_version = 2
  }

  assert {
    condition     = aws_secretsmanager_secret_version.redis_password[0].secret_string_wo_version == 2
    error_message = "The version does not reach the secret, so no new password would be written."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_secretsmanager_secret.redis_password) + length(aws_secretsmanager_secret.api_key) == 0 && output.redis_password_arn == null
    error_message = "Something is made."
  }
}

run "refuses_half_a_version" {
  command = plan

  variables {
    password_version = 1.5
  }

  expect_failures = [var.password_version]
}

run "refuses_a_recovery_that_aws_has_not" {
  command = plan

  variables {
    recovery_days = 3
  }

  expect_failures = [var.recovery_days]
}

run "refuses_a_long_name" {
  command = plan

  variables {
    name = "a123456789-123456789-123456789-1234567890"
  }

  expect_failures = [var.name]
}
