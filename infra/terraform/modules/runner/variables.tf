variable "create" {
  description = "Whether anything of this module is made"
  type        = bool
  default     = true
}

variable "name" {
  description = "What every name begins with"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 40
    error_message = "Set name to 1 to 40 lower-case letters, digits and single hyphens, beginning with a letter: it is part of names of S3 and ElastiCache."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags"
  type        = map(string)
  default     = {}
}

variable "pictures" {
  description = "Bucket of pictures: its name, its ARN, and S3_PREFIX with its closing slash"
  type = object({
    bucket     = string
    bucket_arn = string
    prefix     = optional(string, "")
  })

  validation {
    condition     = var.pictures.prefix == "" || endswith(var.pictures.prefix, "/")
    error_message = "Set pictures.prefix with a closing slash, such as pictures/, or leave it out."
  }
}

variable "redis_secret_arn" {
  description = "Secret that holds REDIS_URL (module queue)"
  type        = string
}

variable "redis_secret_key_arn" {
  description = "ARN of the key of KMS that encrypts that secret, where it is one of your own"
  type        = string
  default     = null
}

variable "redis_prefix" {
  description = "REDIS_PREFIX, the same for all processes"
  type        = string
  default     = "nextscale"
}

variable "subnet_ids" {
  description = "Subnets it runs in"
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "Set subnet_ids to one subnet or more."
  }
}

variable "security_group_id" {
  description = "Security group of processes (module network)"
  type        = string
}

variable "log_days" {
  description = "How many days the log is kept"
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_days)
    error_message = "Set log_days to a retention that CloudWatch has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365."
  }
}

variable "pools" {
  description = "Pools of runners by their POOL: image, models, machines, and how many runners there are at least and at most"
  type = map(object({
    image                  = string
    models                 = list(string)
    instance_types         = list(string)
    gpus                   = optional(number, 1)
    memory                 = optional(number, 12288)
    disk_gb                = optional(number, 100)
    min                    = optional(number, 0)
    max                    = optional(number, 4)
    spot_percent           = optional(number, 100)
    on_demand_base         = optional(number, 0)
    warm_machines          = optional(number, 0)
    generations_per_runner = optional(number, 32)
    idle_minutes           = optional(number, 10)
    settings               = optional(map(string), {})
    ami                    = optional(object({ id = optional(string), driver = optional(number) }), {})
  }))

  validation {
    condition     = alltrue([for name, pool in var.pools : can(regex("^[a-z0-9][a-z0-9-]{0,19}$", name))])
    error_message = "Name pools with 1 to 20 lower-case letters, digits and hyphens that do not begin with a hyphen: they are part of names of AWS."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : length(pool.models) > 0 && alltrue([for model in pool.models : can(regex("^s3://[a-z0-9.-]{3,63}/[A-Za-z0-9._=+@/-]+$", model))])])
    error_message = "Set models of each pool to addresses such as s3://bucket/models/var-d16/1."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.min >= 0 && pool.max >= 1 && pool.max >= pool.min && pool.max <= 64])
    error_message = "Set max of each pool to 1 to 64, and min to 0 to max."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.spot_percent >= 0 && pool.spot_percent <= 100])
    error_message = "Set spot_percent of each pool to 0 to 100."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.warm_machines == 0 || (pool.warm_machines > 0 && pool.spot_percent == 0 && length(pool.instance_types) == 1)])
    error_message = "With warm_machines set spot_percent = 0 and one instance type: AWS keeps no warm pool of Spot machines."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : length(pool.instance_types) > 0])
    error_message = "Set instance_types of each pool to one or more, such as g6.xlarge and g5.xlarge: Spot has capacity more often with several."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.generations_per_runner >= 1 && pool.idle_minutes >= 1 && pool.idle_minutes <= 60])
    error_message = "Set generations_per_runner of each pool to 1 or more, and idle_minutes to 1 to 60."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : length(setintersection(keys(pool.settings), ["REDIS_URL", "REDIS_SECRET_ARN", "S3_BUCKET", "S3_REGION", "POOL", "MODELS", "GRACE_MS"])) == 0])
    error_message = "Leave REDIS_URL, REDIS_SECRET_ARN, S3_BUCKET, S3_REGION, POOL, MODELS and GRACE_MS out of settings: the module sets them."
  }
}

variable "metrics" {
  description = "CloudWatch namespace of the backlog as module control has it, and the period of the alarm in seconds: below 60 the metric must be written with StorageResolution 1"
  type = object({
    namespace = string
    stack     = optional(string)
    period    = optional(number, 60)
  })

  validation {
    condition     = contains([10, 30, 60], var.metrics.period)
    error_message = "Set metrics.period to 10, 30 or 60 seconds."
  }
}

variable "cluster_arn" {
  description = "ECS cluster (module control)"
  type        = string
}

variable "cluster_name" {
  description = "Its name"
  type        = string
}

variable "repository_arns" {
  description = "Repositories of the images (module registry)"
  type        = list(string)
}

variable "stop_seconds" {
  description = "What a runner has between the notice and its end; Spot gives 120 s"
  type        = number
  default     = 110

  validation {
    condition     = var.stop_seconds >= 20 && var.stop_seconds <= 110
    error_message = "Set stop_seconds to 20 to 110: Spot takes a machine back after 120 s."
  }
}

variable "user_id" {
  description = "Numeric user of the images, who owns the cache"
  type        = number
  default     = 10001
}

variable "gpu_image_parameter" {
  description = "SSM parameter that names the AMI of machines with GPUs; its driver must be 580 or newer, for CUDA 13"
  type        = string
  default     = "/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id"
}

variable "cpu_image_parameter" {
  description = "SSM parameter that names the AMI of machines without"
  type        = string
  default     = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}
