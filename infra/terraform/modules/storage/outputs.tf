output "pictures_bucket" {
  description = "Name of the bucket of pictures: S3_BUCKET"
  value       = try(aws_s3_bucket.this["pictures"].id, null)
}

output "pictures_bucket_arn" {
  description = "ARN of the bucket of pictures"
  value       = try(aws_s3_bucket.this["pictures"].arn, null)
}

output "models_bucket" {
  description = "Name of the bucket of models, for addresses in MODELS"
  value       = try(aws_s3_bucket.this["models"].id, null)
}

output "models_bucket_arn" {
  description = "ARN of the bucket of models"
  value       = try(aws_s3_bucket.this["models"].arn, null)
}
