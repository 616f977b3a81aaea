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

variable "cidr" {
  description = "Addresses of the VPC"
  type        = string
  default     = "10.80.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15)) && try(tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "Set cidr to a network of /16 to /22, such as 10.80.0.0/16: it is cut into 16 parts."
  }
}

variable "availability_zones" {
  description = "Zones, with a public and a private subnet in each"
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 1 && length(var.availability_zones) <= 6 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "Set availability_zones to 1 to 6 different zones, such as [\"eu-central-1a\"]."
  }
}

variable "nat" {
  description = "Ways out of private subnets: none, one for all zones, or one per_zone"
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "one", "per_zone"], var.nat)
    error_message = "Set nat to none, one or per_zone."
  }
}

variable "interface_endpoints" {
  description = "Services of AWS that private subnets reach without a way out, such as secretsmanager; each costs by the hour and zone"
  type        = set(string)
  default     = []
}
