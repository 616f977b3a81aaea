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

variable "vpc_id" {
  description = "VPC it is in"
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Private subnets for its nodes"
  type        = list(string)
  default     = []

  validation {
    condition     = !var.create || length(var.subnet_ids) > 0
    error_message = "Set subnet_ids to one private subnet or more, in different zones where nodes is above 1."
  }
}

variable "client_security_groups" {
  description = "Security groups that may connect, by a name of your choice"
  type        = map(string)
  default     = {}
}

variable "password_secret_arn" {
  description = "Secret that holds the password of the processes' user (module secrets)"
  type        = string
  default     = null
}

variable "password_version" {
  description = "Number of that password, the same as in module secrets"
  type        = number
  default     = 1
}

variable "redis_prefix" {
  description = "REDIS_PREFIX of the processes, to whose keys their user is held"
  type        = string
  default     = "nextscale"

  validation {
    condition     = can(regex("^[a-z0-9-]{1,64}$", var.redis_prefix))
    error_message = "Set redis_prefix to 1 to 64 lower-case letters, digits and hyphens, as REDIS_PREFIX."
  }
}

variable "node_type" {
  description = "Size of a node"
  type        = string
  default     = "cache.t4g.small"

  validation {
    condition     = startswith(var.node_type, "cache.")
    error_message = "Set node_type to a node of ElastiCache, such as cache.t4g.small: serverless caches have no noeviction."
  }
}

variable "nodes" {
  description = "Nodes, of which one is written to; with 2 or more another takes over when it fails"
  type        = number
  default     = 1

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6 && floor(var.nodes) == var.nodes
    error_message = "Set nodes to 1 to 6."
  }
}

variable "snapshot_days" {
  description = "How many days' snapshots are kept"
  type        = number
  default     = 1
}

variable "apply_immediately" {
  description = "Whether changes are made at once; else in the maintenance window"
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "Key that encrypts nodes and secret; unset, those of AWS"
  type        = string
  default     = null
}

variable "recovery_days" {
  description = "As in module secrets"
  type        = number
  default     = 7
}

variable "memory_alarm_percent" {
  description = "Share of memory from which the alarm rings; the API refuses from 85 on"
  type        = number
  default     = 75

  validation {
    condition     = var.memory_alarm_percent > 0 && var.memory_alarm_percent < 85
    error_message = "Set memory_alarm_percent below 85: from there on the API takes no new generations."
  }
}

variable "alarm_actions" {
  description = "ARNs of what the alarm calls"
  type        = list(string)
  default     = []
}
