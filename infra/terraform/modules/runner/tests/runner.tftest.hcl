mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1", name = "eu-central-1" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made" }
  }

  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/made" }
  }

  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:1:resource/ecs/service/prod/made:policyName/made" }
  }

  mock_resource "aws_autoscaling_group" {
    defaults = { arn = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:1:autoScalingGroupName/made" }
  }

  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
}

variables {
  name              = "a123456789-123456789-123456789-123456789"
  cluster_arn       = "arn:aws:ecs:eu-central-1:123456789012:cluster/prod"
  cluster_name      = "prod"
  repository_arns   = ["arn:aws:ecr:eu-central-1:123456789012:repository/nextscale-gpu"]
  metrics           = { namespace = "Nextscale/prod" }
  pictures          = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures" }
  redis_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url-AbCdEf"
  subnet_ids        = ["subnet-1"]
  security_group_id = "sg-1"
  pools = {
    a1234567890123456789 = { image = "registry/nextscale-gpu:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge", "g5.xlarge"], max = 6 }
  }
}

run "names_fit" {
  command = plan

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.process), aws_iam_role.execution, aws_iam_role.machine) : length(role.name) <= 64]) && length(aws_iam_instance_profile.machine[0].name) <= 128
    error_message = "A role's name is longer than 64."
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.this : length(template.name) <= 125]) && alltrue([for group in aws_autoscaling_group.this : length(group.name) <= 255]) && alltrue([for provider in aws_ecs_capacity_provider.this : length(provider.name) <= 255])
    error_message = "A name is too long."
  }

  assert {
    condition     = alltrue([for provider in aws_ecs_capacity_provider.this : !can(regex("^(aws|ecs|fargate)", provider.name))])
    error_message = "AWS refuses capacity providers whose names begin so."
  }
}

run "machines_mind_their_users_and_their_cluster" {
  command = plan

  assert {
    condition     = alltrue([for line in ["ECS_CLUSTER=prod", "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true", "ECS_AWSVPC_BLOCK_IMDS=true", "ECS_ENABLE_GPU_SUPPORT=true", "ECS_WARM_POOLS_CHECK=false"] : contains(split("\n", base64decode(aws_launch_template.this["a1234567890123456789"].user_data)), line)])
    error_message = "The agent is told otherwise."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this["a1234567890123456789"].user_data), "chown 10001:10001 /var/cache/nextscale")
    error_message = "The cache is not the image's user's."
  }
}

run "steps_double_up_to_the_greatest" {
  command = plan

  assert {
    condition     = [for step in output.steps["a1234567890123456789"] : step.capacity] == [1, 2, 4, 6]
    error_message = "The table is another."
  }
}

run "spot_and_a_base_on_demand" {
  command = plan

  variables {
    pools = {
      default = { image = "registry/nextscale-gpu:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], min = 1, on_demand_base = 1 }
    }
  }

  assert {
    condition     = aws_autoscaling_group.this["default"].mixed_instances_policy[0].instances_distribution[0].on_demand_base_capacity == 1 && aws_autoscaling_group.this["default"].mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 0
    error_message = "The first machine is Spot, or others are not."
  }

  assert {
    condition     = length(aws_autoscaling_group.this["default"].warm_pool) == 0
    error_message = "There is a warm pool that nobody asked for."
  }
}

run "machines_are_kept_warm" {
  command = plan

  variables {
    pools = {
      default = { image = "registry/nextscale-gpu:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], max = 4, spot_percent = 0, warm_machines = 2 }
    }
  }

  assert {
    condition     = aws_autoscaling_group.this["default"].warm_pool[0].min_size == 2 && aws_autoscaling_group.this["default"].warm_pool[0].pool_state == "Stopped" && length(aws_autoscaling_group.this["default"].mixed_instances_policy) == 0
    error_message = "No machines are kept, or AWS would refuse them."
  }

  assert {
    condition     = aws_launch_template.this["default"].instance_type == "g6.xlarge" && strcontains(base64decode(aws_launch_template.this["default"].user_data), "ECS_WARM_POOLS_CHECK=true")
    error_message = "Machines that are kept would join the cluster before they are needed."
  }
}

run "cpus_have_no_gpus_and_keep_graphs" {
  command = apply

  variables {
    pools = {
      default = { image = "registry/nextscale:1", models = ["s3://models/d16/1"], instance_types = ["c7i.xlarge"], gpus = 0 }
    }
  }

  assert {
    condition     = { for each in jsondecode(aws_ecs_task_definition.this["default"].container_definitions)[0].environment : each.name => each.value }["CACHE_DIR"] == "/cache/graphs" && !can(jsondecode(aws_ecs_task_definition.this["default"].container_definitions)[0].resourceRequirements)
    error_message = "It asks for a GPU, or makes its graphs ready each time."
  }

  assert {
    condition     = aws_launch_template.this["default"].image_id == "resolve:ssm:${var.cpu_image_parameter}"
    error_message = "Its machines have the image for GPUs."
  }
}

run "makes_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_autoscaling_group.this) + length(aws_ecs_service.this) + length(aws_iam_role.machine) + length(aws_cloudwatch_metric_alarm.out) == 0
    error_message = "Something is made."
  }
}

run "refuses_an_old_driver" {
  command = plan

  variables {
    pools = {
      default = { image = "i:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], ami = { id = "ami-1", driver = 570 } }
    }
  }

  expect_failures = [aws_launch_template.this]
}

run "refuses_spot_kept_warm" {
  command = plan

  variables {
    pools = {
      default = { image = "i:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], warm_machines = 1 }
    }
  }

  expect_failures = [var.pools]
}

run "refuses_models_that_are_no_addresses" {
  command = plan

  variables {
    pools = {
      default = { image = "i:1", models = ["models/d16"], instance_types = ["g6.xlarge"] }
    }
  }

  expect_failures = [var.pools]
}

run "refuses_names_that_roles_have_no_room_for" {
  command = plan

  variables {
    pools = {
      a12345678901234567890 = { image = "i:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"] }
    }
  }

  expect_failures = [var.pools]
}

run "refuses_fewer_than_the_least" {
  command = plan

  variables {
    pools = {
      default = { image = "i:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], min = 5, max = 4 }
    }
  }

  expect_failures = [var.pools]
}

run "refuses_settings_of_the_module" {
  command = plan

  variables {
    pools = {
      default = { image = "i:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], settings = { POOL = "other" } }
    }
  }

  expect_failures = [var.pools]
}

run "refuses_times_that_aws_has_not" {
  command = plan

  variables {
    stop_seconds = 120
    metrics      = { namespace = "Nextscale/prod", period = 20 }
    log_days     = 2
  }

  expect_failures = [var.stop_seconds, var.metrics, var.log_days]
}
