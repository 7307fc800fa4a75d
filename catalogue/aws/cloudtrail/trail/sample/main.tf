resource "aws_cloudtrail" "sample" {
  name                          = "shop"
  cloud_watch_logs_group_arn    = "arn:aws:logs:eu-central-1:123456789012:log-group:/trail:*"
  cloud_watch_logs_role_arn     = "arn:aws:iam::123456789012:role/trail"
  enable_log_file_validation    = true
  enable_logging                = true
  include_global_service_events = true
  is_multi_region_trail         = true
  kms_key_id                    = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  s3_bucket_name                = "shop-trail"
  event_selector {
    include_management_events = true
    read_write_type           = "All"
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3"]
    }
  }
  insight_selector {
    insight_type = "ApiCallRateInsight"
  }
  insight_selector {
    insight_type = "ApiErrorRateInsight"
  }
}
