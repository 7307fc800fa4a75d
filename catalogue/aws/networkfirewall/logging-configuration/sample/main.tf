resource "aws_networkfirewall_logging_configuration" "sample" {
  firewall_arn = "arn:aws:network-firewall:eu-central-1:123456789012:firewall/edge"
  logging_configuration {
    log_destination_config {
      log_destination = {
        "bucketName" = "shop-logs"
      }
      log_destination_type = "S3"
      log_type             = "ALERT"
    }
    log_destination_config {
      log_destination = {
        "bucketName" = "shop-logs"
      }
      log_destination_type = "S3"
      log_type             = "FLOW"
    }
  }
}
