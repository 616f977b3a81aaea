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

variable "suffix" {
  description = "End of the buckets' names, which must differ from all others in the world: the account's number, for example"
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]{1,12}$", var.suffix))
    error_message = "Set suffix to 1 to 12 lower-case letters and digits, such as the number of the account: names of buckets have at most 63."
  }
}

variable "prefix" {
  description = "S3_PREFIX of the processes, with its closing slash; empty for none"
  type        = string
  default     = ""

  validation {
    condition     = var.prefix == "" || can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*/$", var.prefix))
    error_message = "Set prefix to a key prefix that ends with a slash and does not begin with one, such as pictures/, or leave it out."
  }
}

variable "expire_after_days" {
  description = "When S3 removes pictures that the control process left; no generation is kept for longer than 31 days"
  type        = number
  default     = 32

  validation {
    condition     = var.expire_after_days >= 32
    error_message = "Set expire_after_days to 32 or more: a generation may be kept for 31 days, and its links must work until then."
  }
}

variable "page_origins" {
  description = "Origins of web pages that fetch pictures by their links"
  type        = list(string)
  default     = []
}

variable "force_destroy" {
  description = "Whether terraform destroy removes buckets that are not empty, with all that is in them"
  type        = bool
  default     = false
}
