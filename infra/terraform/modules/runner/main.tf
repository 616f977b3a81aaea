locals {
  pools = var.create ? var.pools : {}

  # Capacities double up to the pool's greatest. Each is for as many waiting generations as its runners hold at once.
  capacities = { for name, pool in local.pools : name => distinct(concat([for power in range(7) : min(pow(2, power), pool.max)], [pool.max])) }
  # The alarm rings from 1 on, and bounds count from there.
  steps = { for name, pool in local.pools : name => [for index, capacity in local.capacities[name] : {
    capacity = capacity
    lower    = index == 0 ? 0 : local.capacities[name][index - 1] * pool.generations_per_runner
    upper    = index == length(local.capacities[name]) - 1 ? null : capacity * pool.generations_per_runner
  }] }

  dimensions = { for name, pool in local.pools : name => merge({ Pool = name }, var.metrics.stack == null ? {} : { Stack = var.metrics.stack }) }

  # Buckets and prefixes of all models that a pool names.
  model_objects = { for name, pool in local.pools : name => [for model in pool.models : "arn:${data.aws_partition.current.partition}:s3:::${trimsuffix(trimprefix(model, "s3://"), "/")}/*"] }

  environment = { for name, pool in local.pools : name => merge(
    {
      POOL               = name
      MODELS             = join(",", pool.models)
      MODELS_CACHE_DIR   = "/cache/models"
      EXECUTION_PROVIDER = pool.gpus > 0 ? "cuda" : "cpu"
      GRACE_MS           = tostring((var.stop_seconds - 10) * 1000)
      S3_BUCKET          = var.pictures.bucket
      S3_REGION          = data.aws_region.current.id
      REDIS_SECRET_ARN   = var.redis_secret_arn
      REDIS_PREFIX       = var.redis_prefix
    },
    # Only the sampler on CPUs keeps the graphs that it has made ready.
    pool.gpus > 0 ? {} : { CACHE_DIR = "/cache/graphs" },
    var.pictures.prefix == "" ? {} : { S3_PREFIX = var.pictures.prefix },
    pool.settings
  ) }
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.pools

  name              = "/nextscale/${var.name}/runner-${each.key}"
  retention_in_days = var.log_days
  tags              = var.tags
}

resource "aws_launch_template" "this" {
  for_each = local.pools

  name                   = "${var.name}-${each.key}"
  description            = "Machines of the pool ${each.key}"
  image_id               = each.value.ami.id != null ? each.value.ami.id : "resolve:ssm:${each.value.gpus > 0 ? var.gpu_image_parameter : var.cpu_image_parameter}"
  instance_type          = each.value.warm_machines > 0 ? each.value.instance_types[0] : null
  update_default_version = true
  vpc_security_group_ids = [var.security_group_id]
  tags                   = var.tags

  iam_instance_profile {
    arn = aws_iam_instance_profile.machine[0].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  # Tasks get no credentials of the machine; draining begins when Spot gives notice.
  user_data = base64encode(join("\n", [
    "#!/bin/bash",
    "mkdir -p /var/cache/nextscale && chown ${var.user_id}:${var.user_id} /var/cache/nextscale",
    "cat >> /etc/ecs/ecs.config <<'CONFIG'",
    "ECS_CLUSTER=${var.cluster_name}",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    "ECS_AWSVPC_BLOCK_IMDS=true",
    "ECS_ENABLE_TASK_IAM_ROLE=true",
    "ECS_CONTAINER_STOP_TIMEOUT=${var.stop_seconds}s",
    "ECS_ENABLE_GPU_SUPPORT=${each.value.gpus > 0}",
    "ECS_WARM_POOLS_CHECK=${each.value.warm_machines > 0}",
    "CONFIG",
    ""
  ]))

  tag_specifications {
    resource_type = "instance"
    tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
  }

  lifecycle {
    precondition {
      condition     = each.value.gpus == 0 || each.value.ami.id == null || coalesce(each.value.ami.driver, 0) >= 580
      error_message = "Set pools.${each.key}.ami.driver to the NVIDIA driver of the image, 580 or newer: the runner's CUDA 13 fails with an older one, and only once it runs."
    }
  }
}

resource "aws_autoscaling_group" "this" {
  for_each = local.pools

  name                  = "${var.name}-${each.key}"
  min_size              = 0
  max_size              = each.value.max
  vpc_zone_identifier   = var.subnet_ids
  protect_from_scale_in = true
  capacity_rebalance    = false

  # AWS keeps no warm pool of Spot machines, so a pool that has one is of one type, on demand.
  dynamic "launch_template" {
    for_each = each.value.warm_machines > 0 ? [1] : []

    content {
      id      = aws_launch_template.this[each.key].id
      version = "$Latest"
    }
  }

  dynamic "warm_pool" {
    for_each = each.value.warm_machines > 0 ? [1] : []

    content {
      pool_state = "Stopped"
      min_size   = each.value.warm_machines
      # What runs and what is kept count together.
      max_group_prepared_capacity = max(each.value.max, each.value.warm_machines)
    }
  }

  dynamic "mixed_instances_policy" {
    for_each = each.value.warm_machines > 0 ? [] : [1]

    content {
      instances_distribution {
        on_demand_base_capacity                  = each.value.on_demand_base
        on_demand_percentage_above_base_capacity = 100 - each.value.spot_percent
        spot_allocation_strategy                 = "price-capacity-optimized"
      }

      launch_template {
        launch_template_specification {
          launch_template_id = aws_launch_template.this[each.key].id
          version            = "$Latest"
        }

        dynamic "override" {
          for_each = each.value.instance_types

          content {
            instance_type = override.value
          }
        }
      }
    }
  }

  dynamic "tag" {
    for_each = merge(var.tags, { AmazonECSManaged = "true" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "this" {
  for_each = local.pools

  name = "${var.name}-${each.key}"
  tags = var.tags

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this[each.key].arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = each.value.max
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count = var.create ? 1 : 0

  cluster_name       = var.cluster_name
  capacity_providers = concat(["FARGATE"], [for provider in aws_ecs_capacity_provider.this : provider.name])
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.pools

  family                   = "${var.name}-runner-${each.key}"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  task_role_arn            = aws_iam_role.process[each.key].arn
  execution_role_arn       = aws_iam_role.execution[0].arn
  tags                     = var.tags

  volume {
    name      = "cache"
    host_path = "/var/cache/nextscale"
  }

  container_definitions = jsonencode([merge({
    name                   = "runner"
    image                  = each.value.image
    essential              = true
    command                = ["runner"]
    memoryReservation      = each.value.memory
    readonlyRootFilesystem = true
    stopTimeout            = var.stop_seconds
    environment            = [for name in sort(keys(local.environment[each.key])) : { name = name, value = local.environment[each.key][name] }]
    healthCheck            = { command = ["CMD", "node", "/app/infra/images/healthcheck.mjs"], interval = 10, timeout = 5, retries = 6, startPeriod = 60 }
    mountPoints            = [{ sourceVolume = "cache", containerPath = "/cache", readOnly = false }]
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"], add = [] }, tmpfs = [{ containerPath = "/tmp", size = 512 }] }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[each.key].name
        awslogs-region        = data.aws_region.current.id
        awslogs-stream-prefix = "runner"
      }
    }
  }, each.value.gpus > 0 ? { resourceRequirements = [{ type = "GPU", value = tostring(each.value.gpus) }] } : {})])
}

resource "aws_ecs_service" "this" {
  for_each = local.pools

  name                               = "${var.name}-runner-${each.key}"
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  desired_count                      = each.value.min
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this[each.key].name
    weight            = 1
  }

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [var.security_group_id]
  }

  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.execution, aws_iam_role_policy.process]
}
