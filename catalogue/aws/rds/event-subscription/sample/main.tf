resource "aws_db_event_subscription" "sample" {
  enabled          = true
  event_categories = ["failure", "maintenance", "configuration change"]
  name             = "databases"
  sns_topic        = "arn:aws:sns:eu-central-1:123456789012:databases"
  source_type      = "db-instance"
}
