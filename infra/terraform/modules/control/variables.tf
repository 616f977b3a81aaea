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

variable "has_api_key_secret" {
  description = "Whether there is a role for the task that makes the first API key"
  type        = bool
  default     = false

  validation {
    condition     = !var.has_api_key_secret || var.api_key_secret_arn != null
    error_message = "Set api_key_secret_arn to the secret that the key is put into (module secrets)."
  }
}

variable "api_key_secret_arn" {
  description = "Secret that the first API key is put into (module secrets)"
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

variable "metrics" {
  description = "CloudWatch namespace of the backlog, one for each stack; stack is the dimension Stack, where the release in use knows EMF_STACK"
  type = object({
    namespace = string
    stack     = optional(string)
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#:-]{1,255}$", var.metrics.namespace)) && !startswith(var.metrics.namespace, "AWS/")
    error_message = "Set metrics.namespace to a namespace of your own, such as Nextscale/prod: letters, digits and ._/#:- and not AWS/."
  }
}

variable "image" {
  description = "Image nextscale"
  type        = string
}

variable "repository_arn" {
  description = "Repository of the image (module registry)"
  type        = string
}

variable "tasks" {
  description = "How many run; one is needed, and more share the work"
  type        = number
  default     = 1

  validation {
    condition     = var.tasks >= 1
    error_message = "Set tasks to 1 or more: without a control process nothing scales, expires or is announced."
  }
}

variable "public_address" {
  description = "Whether it has a public address: where subnets are public and there is no NAT, webhooks and the registry need it"
  type        = bool
  default     = false
}

variable "architecture" {
  description = "X86_64 or ARM64, that of the image"
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Set architecture to X86_64 or ARM64."
  }
}

variable "cpu" {
  description = "CPU units of a task"
  type        = number
  default     = 256
}

variable "memory" {
  description = "Memory of a task, in MiB"
  type        = number
  default     = 512
}
