mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name   = "a123456789-123456789-123456789-123456789"
  suffix = "123456789012"
}

run "names_fit" {
  command = plan

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : length(bucket.bucket) <= 63])
    error_message = "A bucket's name is longer than 63."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_s3_bucket.this) == 0 && output.pictures_bucket == null
    error_message = "Something is made."
  }
}

run "refuses_a_short_expiry" {
  command = plan

  variables {
    expire_after_days = 7
  }

  expect_failures = [var.expire_after_days]
}

run "refuses_a_long_name" {
  command = plan

  variables {
    name = "a123456789-123456789-123456789-1234567890"
  }

  expect_failures = [var.name]
}
