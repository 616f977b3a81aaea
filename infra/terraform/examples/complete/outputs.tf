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
  description = "What aws ecs run-task takes as its input to make the first API key"
  value = {
    cluster        = module.control.cluster_name
    taskDefinition = module.control.task_definition_arn
    launchType     = "FARGATE"
    networkConfiguration = {
      awsvpcConfiguration = {
        subnets        = module.network.private_subnet_ids
        securityGroups = [module.network.process_security_group_id]
      }
    }
    overrides = {
      taskRoleArn = module.control.keys_role_arn
      containerOverrides = [{
        name    = "control"
        command = ["nextscale", "keys", "ensure", "--secret", module.secrets.api_key_arn, "--name", "first", "--scopes", "generate,read"]
      }]
    }
  }
}

output "push_images" {
  description = "Commands that push the images of this machine to the registry"
  value = join("\n", concat(
    ["set -e"],
    flatten([for image, url in module.registry.repository_urls : [
      "aws ecr get-login-password --region ${var.region} | docker login --username AWS --password-stdin ${split("/", url)[0]}",
      "docker tag ${image}:${var.image_tag} ${url}:${var.image_tag}",
      "docker push ${url}:${var.image_tag}"
    ]]),
    [""]
  ))
}

output "dashboard" {
  description = "Name of the dashboard of CloudWatch"
  value       = module.observability.dashboard_name
}
