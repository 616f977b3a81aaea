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

variable "metrics" {
  description = "CloudWatch namespace of the backlog, as module control has it"
  type = object({
    namespace = string
    stack     = optional(string)
  })
}

variable "pools" {
  description = "Names of the pools"
  type        = set(string)
  default     = ["default"]
}

variable "oldest_wait_minutes" {
  description = "How long a generation may wait before the alarm rings; a start from none takes minutes"
  type        = number
  default     = 20

  validation {
    condition     = var.oldest_wait_minutes >= 1
    error_message = "Set oldest_wait_minutes to 1 or more."
  }
}

variable "webhook_backlog" {
  description = "Deliveries that may be due before the alarm rings"
  type        = number
  default     = 1000
}

variable "alarm_actions" {
  description = "ARNs of what alarms call, such as a topic of SNS"
  type        = list(string)
  default     = []
}

variable "api" {
  description = "What the alarm on 5xx and the dashboard look at: mode lambda with the id of the gateway, or service with the balancer_arn_suffix (module api)"
  type = object({
    mode = string
    id   = string
  })
  default = null

  validation {
    condition     = var.api == null || contains(["lambda", "service"], try(var.api.mode, ""))
    error_message = "Set api.mode to lambda or service, as in module api."
  }
}

variable "server_error_percent" {
  description = "Share of requests answered 5xx above which the alarm rings"
  type        = number
  default     = 5

  validation {
    condition     = var.server_error_percent >= 0 && var.server_error_percent < 100
    error_message = "Set server_error_percent to 0 to 99."
  }
}

variable "valkey_nodes" {
  description = "Nodes of Valkey on the dashboard (module queue)"
  type        = list(string)
  default     = []
}
