output "url_secret_arn" {
  description = "ARN of the secret that holds REDIS_URL"
  value       = try(aws_secretsmanager_secret_version.url[0].arn, null)
}

output "endpoint" {
  description = "Host of the node that is written to"
  value       = try(aws_elasticache_replication_group.this[0].primary_endpoint_address, null)
}

output "security_group_id" {
  description = "Security group of the nodes"
  value       = try(aws_security_group.this[0].id, null)
}

output "node_ids" {
  description = "Nodes as metrics name them"
  value       = local.node_ids
}
