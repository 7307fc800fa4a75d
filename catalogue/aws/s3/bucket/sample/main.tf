resource "aws_s3_bucket" "sample" {
  bucket              = "shop-orders"
  object_lock_enabled = true
  tags                = { owner = "shop" }
}
resource "aws_s3_bucket_versioning" "sample" {
  bucket = aws_s3_bucket.sample.id
  versioning_configuration {
    status = "Enabled"
  }
}
resource "aws_s3_bucket_server_side_encryption_configuration" "sample" {
  bucket = aws_s3_bucket.sample.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }
}
resource "aws_s3_bucket_lifecycle_configuration" "sample" {
  bucket = aws_s3_bucket.sample.id
  rule {
    id     = "tidy"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }
}
resource "aws_s3_bucket_logging" "sample" {
  bucket        = aws_s3_bucket.sample.id
  target_bucket = "shop-logs"
  target_prefix = "orders/"
}
resource "aws_s3_bucket_notification" "sample" {
  bucket      = aws_s3_bucket.sample.id
  eventbridge = true
}
resource "aws_s3_bucket_object_lock_configuration" "sample" {
  bucket = aws_s3_bucket.sample.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = 30
    }
  }
}
resource "aws_s3_bucket_ownership_controls" "sample" {
  bucket = aws_s3_bucket.sample.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}
resource "aws_s3_bucket_public_access_block" "sample" {
  bucket                  = aws_s3_bucket.sample.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket_replication_configuration" "sample" {
  bucket = aws_s3_bucket.sample.id
  role   = "arn:aws:iam::123456789012:role/replicate"
  rule {
    id     = "everything"
    status = "Enabled"
    prefix = "orders/"
    destination {
      bucket = "arn:aws:s3:::shop-orders-copy"
    }
  }
}
