output "pictures_bucket" {
  description = "Name of the bucket of pictures: S3_BUCKET"
  value       = try(local.names["pictures"], null)
  depends_on  = [aws_s3_bucket.this]
}

output "pictures_bucket_arn" {
  description = "ARN of the bucket of pictures"
  value       = try("arn:${data.aws_partition.current.partition}:s3:::${local.names["pictures"]}", null)
  depends_on  = [aws_s3_bucket.this]
}

output "models_bucket" {
  description = "Name of the bucket of models, for addresses in MODELS"
  value       = try(local.names["models"], null)
  depends_on  = [aws_s3_bucket.this]
}

output "models_bucket_arn" {
  description = "ARN of the bucket of models"
  value       = try("arn:${data.aws_partition.current.partition}:s3:::${local.names["models"]}", null)
  depends_on  = [aws_s3_bucket.this]
}
