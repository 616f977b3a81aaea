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

variable "settings" {
  description = "More settings of the process, as its README names them; of secrets give none here"
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.settings), ["REDIS_URL", "REDIS_SECRET_ARN", "S3_BUCKET", "S3_REGION", "LINK_SECRET", "WEBHOOK_SIGNING_KEYS"])) == 0
    error_message = "Leave REDIS_URL, REDIS_SECRET_ARN, S3_BUCKET, S3_REGION, LINK_SECRET and WEBHOOK_SIGNING_KEYS out of settings: the module sets where Redis and bucket are, and secrets would be readable in the task."
  }
}

variable "mode" {
  description = "lambda: HTTP API and a function; service: load balancer and Fargate, which event streams and /docs need"
  type        = string
  default     = "lambda"

  validation {
    condition     = contains(["lambda", "service"], var.mode)
    error_message = "Set mode to lambda or service."
  }
}

variable "lambda" {
  description = "With mode lambda: the zip of lambda.mjs, and how it is run"
  type = object({
    package     = string
    runtime     = optional(string, "nodejs22.x")
    memory      = optional(number, 1024)
    concurrency = optional(number, -1)
  })
  default = null

  validation {
    condition     = var.mode != "lambda" || !var.create || var.lambda != null
    error_message = "Set lambda = { package = \"lambda.zip\" }, the zip of the file that npm run bundle -w api makes, or mode = \"service\"."
  }
}

variable "throttling" {
  description = "With mode lambda: requests a second, and at once, beyond which the gateway answers 429"
  type = object({
    rate  = optional(number, 200)
    burst = optional(number, 400)
  })
  default = {}

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst > 0
    error_message = "Set throttling.rate and throttling.burst above 0."
  }
}

variable "vpc_id" {
  description = "With mode service: the VPC"
  type        = string
  default     = null
}

variable "service" {
  description = "With mode service: image, cluster, load balancer, and how many tasks run"
  type = object({
    image               = string
    repository_arn      = string
    cluster_arn         = string
    cluster_name        = string
    certificate_arn     = string
    balancer_subnet_ids = list(string)
    internal            = optional(bool, false)
    client_cidrs        = optional(list(string), ["0.0.0.0/0"])
    architecture        = optional(string, "X86_64")
    cpu                 = optional(number, 512)
    memory              = optional(number, 1024)
    min                 = optional(number, 2)
    max                 = optional(number, 10)
  })
  default = null

  validation {
    condition     = var.mode != "service" || !var.create || var.service != null
    error_message = "Set service to image, repository_arn, cluster_arn, cluster_name, certificate_arn and balancer_subnet_ids, or mode = \"lambda\"."
  }

  validation {
    condition     = var.service == null || try(length(var.service.balancer_subnet_ids) >= 2, false)
    error_message = "Set service.balancer_subnet_ids to subnets of two zones or more: a load balancer takes no fewer."
  }

  validation {
    condition     = var.service == null || try(var.service.min >= 1 && var.service.max >= var.service.min, false)
    error_message = "Set service.min to 1 or more, and service.max to at least that."
  }
}
