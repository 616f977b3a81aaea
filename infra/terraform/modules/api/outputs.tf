output "url" {
  description = "Where the API is reached; of a service the name that your own domain leads to"
  value       = try(aws_apigatewayv2_api.this[0].api_endpoint, "https://${aws_lb.this[0].dns_name}", null)
}

output "function_name" {
  description = "With mode lambda: name of the function"
  value       = try(aws_lambda_function.this[0].function_name, null)
}

output "gateway_id" {
  description = "With mode lambda: id of the gateway"
  value       = try(aws_apigatewayv2_api.this[0].id, null)
}

output "balancer_arn_suffix" {
  description = "With mode service: the load balancer as metrics name it"
  value       = try(aws_lb.this[0].arn_suffix, null)
}

output "balancer_zone_id" {
  description = "With mode service: zone of the load balancer, for an alias of your domain"
  value       = try(aws_lb.this[0].zone_id, null)
}

output "role_arn" {
  description = "Role of the API"
  value       = try(aws_iam_role.process[0].arn, null)
}

output "log_group" {
  description = "Log of the API"
  value       = try(aws_cloudwatch_log_group.this[0].name, null)
}

output "balancer_name" {
  description = "With mode service: name of the load balancer"
  value       = try(aws_lb.this[0].name, null)
}
