resource "aws_athena_workgroup" "sample" {
  name  = "reports"
  state = "ENABLED"
  configuration {
    bytes_scanned_cutoff_per_query     = 1099511627776
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    result_configuration {
      output_location = "s3://shop-reports/"
      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
      }
    }
  }
}
