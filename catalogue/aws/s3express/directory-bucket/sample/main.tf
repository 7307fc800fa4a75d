resource "aws_s3_directory_bucket" "sample" {
  bucket          = "fast--euc1-az1--x-s3"
  data_redundancy = "SingleAvailabilityZone"
  location {
    name = "euc1-az1"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "fast" {
  bucket = aws_s3_directory_bucket.sample.bucket
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "fast" {
  bucket = aws_s3_directory_bucket.sample.bucket
  rule {
    id     = "old"
    status = "Enabled"
    filter {}
    expiration {
      days = 30
    }
  }
}
