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

variable "password_version" {
  description = "Number of the password; a greater one has a new password made. Give queue the same"
  type        = number
  default     = 1

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "Set password_version to 1, 2 and so on: one more than before has a new password made."
  }
}

variable "kms_key_id" {
  description = "Key that encrypts the secret; unset, that of Secrets Manager"
  type        = string
  default     = null
}

variable "recovery_days" {
  description = "How long a secret that was deleted can be restored, and its name is taken; 0 for not at all"
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "Set recovery_days to 0, or to 7 to 30."
  }
}
