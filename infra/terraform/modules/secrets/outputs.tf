output "redis_password_arn" {
  description = "ARN of the secret that holds the password"
  value       = try(aws_secretsmanager_secret_version.redis_password[0].arn, null)
}
