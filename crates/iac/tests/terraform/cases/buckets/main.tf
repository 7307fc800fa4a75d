# Buckets with their separate resources, joined in every way that people write.

variable "tiers" {
  default = { hot = "Enabled", cold = "Suspended" }
}

resource "aws_kms_key" "data" {
  enable_key_rotation = true
}

# for_each, joined by each.key and by chaining for_each.
resource "aws_s3_bucket" "tier" {
  for_each      = var.tiers
  bucket_prefix = "tier-${each.key}-"
  tags          = { Tier = each.key }
}

resource "aws_s3_bucket_versioning" "tier" {
  for_each = var.tiers
  bucket   = aws_s3_bucket.tier[each.key].id
  versioning_configuration {
    status = each.value
  }
}

resource "aws_s3_bucket_public_access_block" "tier" {
  for_each                = aws_s3_bucket.tier
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = each.key == "hot"
}

# count, joined by count.index and by a splat's element.
resource "aws_s3_bucket" "shard" {
  count = 2
}

resource "aws_s3_bucket_server_side_encryption_configuration" "shard" {
  count  = 2
  bucket = element(aws_s3_bucket.shard[*].bucket, count.index)
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

# A name that is known: joined by the text.
resource "aws_s3_bucket" "logs" {
  bucket = "shop-logs"
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.bucket
  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

# Joined through another part.
resource "aws_s3_bucket_acl" "logs" {
  bucket = aws_s3_bucket_ownership_controls.logs.id
  acl    = "log-delivery-write"
}

resource "aws_s3_bucket_logging" "tier" {
  bucket        = aws_s3_bucket.tier["hot"].id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "hot/"
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule {
    id     = "expire"
    status = "Enabled"
    filter {
      prefix = "old/"
    }
    expiration {
      days = 90
    }
    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }
    noncurrent_version_expiration {
      noncurrent_days = 10
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.tier["hot"].arn, "${aws_s3_bucket.tier["hot"].arn}/*"]
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

resource "aws_s3_bucket_policy" "hot" {
  bucket = aws_s3_bucket.tier["hot"].id
  policy = data.aws_iam_policy_document.tls_only.json
}

resource "aws_s3_bucket" "site" {
  bucket              = "shop-site"
  object_lock_enabled = true
  force_destroy       = true
}

resource "aws_s3_bucket_website_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  index_document {
    suffix = "index.html"
  }
  routing_rule {
    condition {
      key_prefix_equals = "docs/"
    }
    redirect {
      replace_key_prefix_with = "documents/"
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 300
  }
}

resource "aws_s3_bucket_object_lock_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = 5
    }
  }
}

resource "aws_iam_role" "replication" {
  name               = "replication"
  assume_role_policy = "{}"
}

resource "aws_s3_bucket_replication_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  role   = aws_iam_role.replication.arn
  rule {
    id     = "all"
    status = "Enabled"
    filter {}
    delete_marker_replication {
      status = "Enabled"
    }
    destination {
      bucket        = aws_s3_bucket.shard[0].arn
      storage_class = "STANDARD"
      encryption_configuration {
        replica_kms_key_id = aws_kms_key.data.arn
      }
    }
    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }
  }
}

resource "aws_sqs_queue" "events" {}

resource "aws_s3_bucket_notification" "site" {
  bucket      = aws_s3_bucket.site.id
  eventbridge = true
  queue {
    queue_arn = aws_sqs_queue.events.arn
    events    = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
  }
}

resource "aws_s3_bucket_accelerate_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  status = "Enabled"
}

resource "aws_s3_bucket_request_payment_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  payer  = "Requester"
}

resource "aws_s3_bucket_inventory" "site" {
  bucket                   = aws_s3_bucket.site.id
  name                     = "weekly"
  included_object_versions = "All"
  schedule {
    frequency = "Weekly"
  }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = aws_s3_bucket.logs.arn
    }
  }
}

resource "aws_s3_bucket_intelligent_tiering_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  name   = "all"
  tiering {
    access_tier = "DEEP_ARCHIVE_ACCESS"
    days        = 180
  }
}

resource "aws_s3_bucket_analytics_configuration" "site" {
  bucket = aws_s3_bucket.site.id
  name   = "all"
  filter {
    prefix = "a/"
    tags   = { A = "b" }
  }
  storage_class_analysis {
    data_export {
      destination {
        s3_bucket_destination {
          bucket_arn = aws_s3_bucket.logs.arn
        }
      }
    }
  }
}

resource "aws_s3_bucket_metric" "site" {
  bucket = aws_s3_bucket.site.id
  name   = "all"
}

# A bucket that is not of this plan: kept under its Terraform name.
resource "aws_s3_bucket_versioning" "elsewhere" {
  bucket = "somebody-elses"
  versioning_configuration {
    status = "Enabled"
  }
}
