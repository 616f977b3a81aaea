provider "aws" {
  region = var.region

  default_tags {
    tags = { Stack = var.name }
  }
}

data "aws_caller_identity" "current" {}

locals {
  namespace = "Nextscale/${var.name}"
  pictures  = { bucket = module.storage.pictures_bucket, bucket_arn = module.storage.pictures_bucket_arn }
  registry  = module.registry.repository_urls
}

# One zone, one NAT: runners on EC2 have no public address, and endpoints for all that ECS asks would cost more.
module "network" {
  source = "../../modules/network"

  name               = var.name
  availability_zones = ["${var.region}a"]
  nat                = "one"
}

module "storage" {
  source = "../../modules/storage"

  name   = var.name
  suffix = data.aws_caller_identity.current.account_id
}

module "secrets" {
  source = "../../modules/secrets"

  name = var.name
}

module "queue" {
  source = "../../modules/queue"

  name                   = var.name
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.private_subnet_ids
  client_security_groups = { processes = module.network.process_security_group_id }
  password_secret_arn    = module.secrets.redis_password_arn
}

module "registry" {
  source = "../../modules/registry"

  name = var.name
}

module "api" {
  source = "../../modules/api"

  name              = var.name
  lambda            = { package = var.lambda_package }
  pictures          = local.pictures
  redis_secret_arn  = module.queue.url_secret_arn
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.process_security_group_id
}

module "control" {
  source = "../../modules/control"

  name               = var.name
  image              = "${local.registry["nextscale"]}:${var.image_tag}"
  repository_arn     = module.registry.repository_arns["nextscale"]
  metrics            = { namespace = local.namespace }
  pictures           = local.pictures
  has_api_key_secret = true
  api_key_secret_arn = module.secrets.api_key_arn
  redis_secret_arn   = module.queue.url_secret_arn
  subnet_ids         = module.network.private_subnet_ids
  security_group_id  = module.network.process_security_group_id
}

module "runner" {
  source = "../../modules/runner"

  name              = var.name
  cluster_arn       = module.control.cluster_arn
  cluster_name      = module.control.cluster_name
  repository_arns   = [module.registry.repository_arns["nextscale-gpu"]]
  metrics           = { namespace = local.namespace }
  pictures          = local.pictures
  redis_secret_arn  = module.queue.url_secret_arn
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.process_security_group_id
  pools = {
    default = {
      image          = "${local.registry["nextscale-gpu"]}:${var.image_tag}"
      models         = [for model in var.models : "s3://${module.storage.models_bucket}/${model}"]
      instance_types = ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
    }
  }
}

module "observability" {
  source = "../../modules/observability"

  name         = var.name
  metrics      = { namespace = local.namespace }
  valkey_nodes = module.queue.node_ids
  api          = { mode = "lambda", id = module.api.gateway_id }
}
