resource "aws_config_delivery_channel" "sample" {
  name           = "default"
  s3_bucket_name = "shop-config"
  s3_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  sns_topic_arn  = "arn:aws:sns:eu-central-1:123456789012:config"
}
