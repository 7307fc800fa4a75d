resource "aws_cloudtrail_event_data_store" "sample" {
  name                           = "shop"
  kms_key_id                     = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  multi_region_enabled           = true
  retention_period               = 2555
  termination_protection_enabled = true
}
