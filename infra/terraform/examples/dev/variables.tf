variable "name" {
  description = "What every name begins with"
  type        = string
  default     = "nextscale-dev"
}

variable "region" {
  description = "Region of AWS"
  type        = string
  default     = "eu-central-1"
}

variable "lambda_package" {
  description = "The zip that npm run bundle -w api makes"
  type        = string
  default     = "../../../../api/dist/lambda.zip"
}

variable "image_tag" {
  description = "Tag of the images in the registry"
  type        = string
}

variable "models" {
  description = "Prefixes of models in their bucket"
  type        = list(string)
  default     = ["models/var-d16/1"]
}
