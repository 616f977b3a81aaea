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
  urls      = module.registry.repository_urls
  arns      = module.registry.repository_arns
  image     = "${local.urls["nextscale"]}:${var.image_tag}"
  # Whoever reaches a load balancer knows it by the name on its certificate, and links lead there.
  settings = var.domain == null ? {} : { PUBLIC_URL = "https://${var.domain}" }
}

# A way out in each zone, so that the loss of one leaves the other whole.
module "network" {
  source = "../../modules/network"

  name               = var.name
  availability_zones = var.availability_zones
  nat                = "per_zone"
}

module "storage" {
  source = "../../modules/storage"

  name          = var.name
  suffix        = data.aws_caller_identity.current.account_id
  page_origins  = var.page_origins
  force_destroy = var.destroy_data
}

module "secrets" {
  source = "../../modules/secrets"

  name             = var.name
  password_version = var.password_version
  recovery_days    = var.destroy_data ? 0 : 7
}

# Two nodes: when the one that is written to fails, the other takes over within a minute or so.
module "queue" {
  source = "../../modules/queue"

  name                   = var.name
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.private_subnet_ids
  client_security_groups = { processes = module.network.process_security_group_id }
  password_secret_arn    = module.secrets.redis_password_arn
  password_version       = var.password_version
  node_type              = "cache.m7g.large"
  nodes                  = 2
  snapshot_days          = 7
  recovery_days          = var.destroy_data ? 0 : 7
  alarm_actions          = var.alarm_actions
}

module "registry" {
  source = "../../modules/registry"

  name         = var.name
  force_delete = var.destroy_data
}

module "api" {
  source = "../../modules/api"

  name              = var.name
  mode              = var.api_mode
  pictures          = local.pictures
  redis_secret_arn  = module.queue.url_secret_arn
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.process_security_group_id
  # Valkey keeps nothing on disk: what is answered is on both nodes.
  settings = merge({ REDIS_WAIT_REPLICAS = "1" }, var.api_mode == "service" ? local.settings : {})
  lambda   = { package = var.lambda_package }
  service = var.api_mode != "service" ? null : {
    image               = local.image
    repository_arn      = local.arns["nextscale"]
    cluster_arn         = module.control.cluster_arn
    cluster_name        = module.control.cluster_name
    certificate_arn     = var.certificate_arn
    balancer_subnet_ids = module.network.public_subnet_ids
    min                 = 2
    max                 = 10
  }
}

# One in each zone: they share the work, and one of them is enough.
module "control" {
  source = "../../modules/control"

  name               = var.name
  image              = local.image
  repository_arn     = local.arns["nextscale"]
  tasks              = 2
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
  repository_arns   = [local.arns["nextscale-gpu"]]
  metrics           = { namespace = local.namespace }
  pictures          = local.pictures
  redis_secret_arn  = module.queue.url_secret_arn
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.process_security_group_id
  pools = { for name, pool in var.pools : name => merge(pool, {
    image  = "${local.urls["nextscale-gpu"]}:${var.image_tag}"
    models = [for model in pool.models : "s3://${module.storage.models_bucket}/${model}"]
  }) }
}

module "observability" {
  source = "../../modules/observability"

  name          = var.name
  metrics       = { namespace = local.namespace }
  pools         = keys(var.pools)
  valkey_nodes  = module.queue.node_ids
  api           = { mode = var.api_mode, id = var.api_mode == "lambda" ? module.api.gateway_id : module.api.balancer_arn_suffix }
  alarm_actions = var.alarm_actions
}
