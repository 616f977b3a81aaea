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

variable "repositories" {
  description = "Images that are kept, one repository each"
  type        = set(string)
  default     = ["nextscale", "nextscale-gpu"]
}

variable "keep_images" {
  description = "How many images of each are kept; tasks that run need theirs when they are placed anew"
  type        = number
  default     = 20

  validation {
    condition     = var.keep_images >= 2
    error_message = "Set keep_images to 2 or more, so that the release before can be put back."
  }
}

variable "force_delete" {
  description = "Whether terraform destroy removes repositories that hold images"
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "Key that encrypts the images; unset, that of S3"
  type        = string
  default     = null
}
