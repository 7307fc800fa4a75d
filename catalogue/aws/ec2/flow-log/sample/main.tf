resource "aws_flow_log" "sample" {
  log_destination          = "arn:aws:s3:::shop-logs"
  log_destination_type     = "s3"
  max_aggregation_interval = 60
  traffic_type             = "ALL"
  vpc_id                   = "vpc-0123456789abcdef0"
}
