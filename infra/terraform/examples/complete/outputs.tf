output "url" {
  description = "Where the API is"
  value       = var.api_mode == "service" && var.domain != null ? "https://${var.domain}" : module.api.url
}

output "balancer" {
  description = "With api_mode service: where the domain must lead, as an alias"
  value       = var.api_mode == "service" ? { name = trimprefix(module.api.url, "https://"), zone_id = module.api.balancer_zone_id } : null
}

output "repositories" {
  description = "Where images are pushed to"
  value       = module.registry.repository_urls
}

output "models_bucket" {
  description = "Where models are pushed to"
  value       = module.storage.models_bucket
}

output "pictures_bucket" {
  description = "Where pictures are"
  value       = module.storage.pictures_bucket
}

output "runner_services" {
  description = "ECS services of the pools"
  value       = module.runner.service_names
}

output "first_key" {
  description = "What aws ecs run-task needs to make the first API key"
  value = {
    cluster         = module.control.cluster_name
    task_definition = module.control.task_definition_arn
    subnets         = module.network.private_subnet_ids
    security_group  = module.network.process_security_group_id
    role            = module.control.keys_role_arn
    secret          = module.secrets.api_key_arn
  }
}

output "dashboard" {
  description = "Name of the dashboard of CloudWatch"
  value       = module.observability.dashboard_name
}
