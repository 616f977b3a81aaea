data "aws_iam_policy_document" "execution" {
  count = local.service ? 1 : 0

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[0].arn}:*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = [var.service.repository_arn]
  }

  # AWS takes no resource for this action.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "execution" {
  count = local.service ? 1 : 0

  name               = "${var.name}-api-start"
  description        = "What ECS needs to start the API of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "execution" {
  count = local.service ? 1 : 0

  name   = "start"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution[0].json
}

resource "aws_ecs_task_definition" "this" {
  count = local.service ? 1 : 0

  family                   = "${var.name}-api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.service.cpu
  memory                   = var.service.memory
  task_role_arn            = aws_iam_role.process[0].arn
  execution_role_arn       = aws_iam_role.execution[0].arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.service.architecture
  }

  # Fargate has no tmpfs; its disk is encrypted.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "api"
    image                  = var.service.image
    essential              = true
    command                = ["api"]
    readonlyRootFilesystem = true
    stopTimeout            = 60
    environment            = [for name in sort(keys(local.service_environment)) : { name = name, value = local.service_environment[name] }]
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    healthCheck            = { command = ["CMD", "node", "/app/infra/images/healthcheck.mjs"], interval = 10, timeout = 5, retries = 6, startPeriod = 60 }
    portMappings           = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"], add = [] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[0].name
        awslogs-region        = data.aws_region.current.id
        awslogs-stream-prefix = "api"
      }
    }
  }])
}

resource "aws_security_group" "balancer" {
  count = local.service ? 1 : 0

  name        = "${var.name}-balancer"
  description = "Load balancer: TLS from clients"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-balancer" })
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = local.service ? toset(var.service.client_cidrs) : toset([])

  security_group_id = aws_security_group.balancer[0].id
  description       = "TLS from clients"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  count = local.service ? 1 : 0

  security_group_id            = aws_security_group.balancer[0].id
  description                  = "To the API"
  referenced_security_group_id = aws_security_group.service[0].id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  tags                         = var.tags
}

# TRUST_PROXY=1 holds because nothing else reaches the port.
resource "aws_security_group" "service" {
  count = local.service ? 1 : 0

  name        = "${var.name}-api"
  description = "API: in from the load balancer alone"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-api" })
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  count = local.service ? 1 : 0

  security_group_id            = aws_security_group.service[0].id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  tags                         = var.tags
}

resource "aws_lb" "this" {
  count = local.service ? 1 : 0

  name                       = "${local.short}-api"
  load_balancer_type         = "application"
  internal                   = var.service.internal
  subnets                    = var.service.balancer_subnet_ids
  security_groups            = [aws_security_group.balancer[0].id]
  drop_invalid_header_fields = true
  # Longer than a wait of 60 s, and than the comments of an event stream.
  idle_timeout = 120
  tags         = var.tags
}

resource "aws_lb_target_group" "this" {
  count = local.service ? 1 : 0

  name                 = "${local.short}-api"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  port                 = 8080
  protocol             = "HTTP"
  deregistration_delay = 30
  tags                 = var.tags

  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  count = local.service ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.service.certificate_arn
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}

resource "aws_ecs_service" "this" {
  count = local.service ? 1 : 0

  name                               = "${var.name}-api"
  cluster                            = var.service.cluster_arn
  task_definition                    = aws_ecs_task_definition.this[0].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.service.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [var.security_group_id, aws_security_group.service[0].id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[0].arn
    container_name   = "api"
    container_port   = 8080
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.this, aws_iam_role_policy.execution, aws_iam_role_policy.process]
}

resource "aws_appautoscaling_target" "this" {
  count = local.service ? 1 : 0

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.service.cluster_name}/${aws_ecs_service.this[0].name}"
  min_capacity       = var.service.min
  max_capacity       = var.service.max
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "cpu" {
  count = local.service ? 1 : 0

  name               = "${var.name}-api-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
