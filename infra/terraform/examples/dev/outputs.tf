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
