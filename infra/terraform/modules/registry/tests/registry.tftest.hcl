mock_provider "aws" {}

variables {
  name = "a123456789-123456789-123456789-123456789"
}

run "has_both_images" {
  command = plan

  assert {
    condition     = toset(keys(output.repository_arns)) == toset(["nextscale", "nextscale-gpu"]) && length(aws_ecr_lifecycle_policy.this) == 2
    error_message = "An image has no repository, or a repository keeps all images."
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : length(repository.name) <= 256 && repository.image_tag_mutability == "IMMUTABLE" && !repository.force_delete])
    error_message = "Tags may be moved, or images go with the stack."
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.encryption_configuration[0].encryption_type == "KMS"])
    error_message = "The key is not used."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_ecr_repository.this) == 0 && length(output.repository_urls) == 0
    error_message = "Something is made."
  }
}

run "refuses_to_keep_one_image" {
  command = plan

  variables {
    keep_images = 1
  }

  expect_failures = [var.keep_images]
}
