resource "aws_kinesis_firehose_delivery_stream" "sample" {
  name        = "events"
  destination = "extended_s3"
  extended_s3_configuration {
    bucket_arn  = "arn:aws:s3:::shop-events"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
    role_arn    = "arn:aws:iam::123456789012:role/firehose"
    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = "firehose"
      log_stream_name = "s3"
    }
  }
  server_side_encryption {
    enabled  = true
    key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
    key_type = "CUSTOMER_MANAGED_CMK"
  }
}
