output "redis_password_arn" {
  description = "ARN of the secret that holds the password"
  value       = try(aws_secretsmanager_secret_version.redis_password[0].arn, null)
}

output "api_key_arn" {
  description = "ARN of the empty secret for the first API key"
  value       = try(aws_secretsmanager_secret.api_key[0].arn, null)
}
