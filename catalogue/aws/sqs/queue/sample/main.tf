resource "aws_sqs_queue" "sample" {
  name                      = "orders"
  kms_master_key_id         = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  message_retention_seconds = 345600
  redrive_policy            = jsonencode({"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:orders-failed", "maxReceiveCount": 5})
}
