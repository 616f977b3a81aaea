output "service_names" {
  description = "Name of each pool's service"
  value       = { for name, service in aws_ecs_service.this : name => service.name }
}

output "role_arns" {
  description = "Role of each pool's runners"
  value       = { for name, role in aws_iam_role.process : name => role.arn }
}

output "log_groups" {
  description = "Log of each pool"
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}

output "steps" {
  description = "How many runners each pool has at which backlog, counted from 1"
  value       = local.steps
}
