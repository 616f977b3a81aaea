variable "name" {
  description = "What every name begins with"
  type        = string
  default     = "nextscale"
}

variable "region" {
  description = "Region of AWS"
  type        = string
  default     = "eu-central-1"
}

variable "availability_zones" {
  description = "Two zones of the region that have the machines of all pools"
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b"]

  validation {
    condition     = length(var.availability_zones) >= 2 && alltrue([for zone in var.availability_zones : startswith(zone, var.region)])
    error_message = "Set availability_zones to two or more zones of the region: a load balancer takes no fewer."
  }
}

variable "image_tag" {
  description = "Tag of both images in the registry"
  type        = string
}

variable "api_mode" {
  description = "service: load balancer and Fargate, with event streams and /docs; lambda: HTTP API and a function"
  type        = string
  default     = "service"

  validation {
    condition     = contains(["lambda", "service"], var.api_mode)
    error_message = "Set api_mode to lambda or service."
  }
}

variable "domain" {
  description = "With api_mode service: name on the certificate, which you lead to the load balancer"
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "With api_mode service: certificate of ACM for that name, in the same region"
  type        = string
  default     = null

  validation {
    condition     = var.api_mode != "service" || var.certificate_arn != null
    error_message = "Set certificate_arn to a certificate of ACM, or api_mode = \"lambda\", which needs none."
  }
}

variable "lambda_package" {
  description = "With api_mode lambda: the zip that npm run bundle -w api makes"
  type        = string
  default     = "../../../../api/dist/lambda.zip"
}

variable "page_origins" {
  description = "Origins of web pages that fetch pictures by their links"
  type        = list(string)
  default     = []
}

# One machine of the first pool is always there and is paid for by the hour; the others are Spot and come with work.
variable "pools" {
  description = "Pools of runners by their POOL; models are prefixes in the bucket of models, the rest is as in module runner"
  type = map(object({
    models         = list(string)
    instance_types = list(string)
    min            = optional(number)
    max            = optional(number)
    on_demand_base = optional(number)
    spot_percent   = optional(number)
    memory         = optional(number)
    settings       = optional(map(string))
  }))
  default = {
    default = {
      models         = ["models/var-d16/1"]
      instance_types = ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
      min            = 1
      max            = 8
      on_demand_base = 1
    }
    large = {
      models         = ["models/var-d30/1"]
      instance_types = ["g6e.xlarge", "g6.2xlarge", "g5.2xlarge"]
      max            = 4
      memory         = 24576
    }
  }
}

variable "password_version" {
  description = "Number of Valkey's password; one more has a new one made"
  type        = number
  default     = 1
}

variable "alarm_actions" {
  description = "What alarms call, such as the ARN of a topic of SNS"
  type        = list(string)
  default     = []
}

variable "destroy_data" {
  description = "Whether terraform destroy removes pictures, models, images and secrets for good; apply it before you destroy"
  type        = bool
  default     = false
}
