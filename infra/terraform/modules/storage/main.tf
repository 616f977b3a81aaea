locals {
  names = var.create ? { for kind in ["pictures", "models"] : kind => "${var.name}-${kind}-${var.suffix}" } : {}
}

data "aws_partition" "current" {}

resource "aws_s3_bucket" "this" {
  for_each = local.names

  bucket        = each.value
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

data "aws_iam_policy_document" "tls" {
  for_each = local.names

  statement {
    sid       = "DenyWithoutTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [for end in ["", "/*"] : "arn:${data.aws_partition.current.partition}:s3:::${each.value}${end}"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.names

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.tls[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# The control process removes what has expired; this removes what it could not, and parts of uploads that broke off.
resource "aws_s3_bucket_lifecycle_configuration" "pictures" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this["pictures"].id

  rule {
    id     = "generations"
    status = "Enabled"

    filter {
      prefix = "${var.prefix}generations/"
    }

    expiration {
      days = var.expire_after_days
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "models" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this["models"].id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# Links lead pages straight to the bucket; a page that fetches one needs this, an <img> does not.
resource "aws_s3_bucket_cors_configuration" "pictures" {
  count = var.create && length(var.page_origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this["pictures"].id

  cors_rule {
    allowed_origins = var.page_origins
    allowed_methods = ["GET", "HEAD"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
  }
}
