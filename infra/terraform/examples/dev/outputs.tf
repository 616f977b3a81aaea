output "url" {
  description = "Where the API is"
  value       = module.api.url
}

output "repositories" {
  description = "Where images are pushed to"
  value       = module.registry.repository_urls
}

output "models_bucket" {
  description = "Where models are pushed to"
  value       = module.storage.models_bucket
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
