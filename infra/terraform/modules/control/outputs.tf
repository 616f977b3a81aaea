output "cluster_arn" {
  description = "ECS cluster of all processes"
  value       = try(aws_ecs_cluster.this[0].arn, null)
}

output "cluster_name" {
  description = "Its name"
  value       = try(aws_ecs_cluster.this[0].name, null)
}

output "namespace" {
  description = "CloudWatch namespace of the backlog"
  value       = var.metrics.namespace
}

output "service_name" {
  description = "Name of the service"
  value       = try(aws_ecs_service.this[0].name, null)
}

output "task_definition_arn" {
  description = "Task definition, which one-off commands such as keys can run with"
  value       = try(aws_ecs_task_definition.this[0].arn, null)
}

output "role_arn" {
  description = "Role of the process"
  value       = try(aws_iam_role.process[0].arn, null)
}

output "log_group" {
  description = "Log of the process"
  value       = try(aws_cloudwatch_log_group.this[0].name, null)
}

output "keys_role_arn" {
  description = "Role of the task that makes the first API key"
  value       = try(aws_iam_role.keys[0].arn, null)
}
