resource "aws_datasync_task" "sample" {
  cloudwatch_log_group_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:datasync"
  destination_location_arn = "arn:aws:datasync:eu-central-1:123456789012:location/loc-1"
  name                     = "nightly"
  source_location_arn      = "arn:aws:datasync:eu-central-1:123456789012:location/loc-2"
  options {
    log_level   = "TRANSFER"
    verify_mode = "POINT_IN_TIME_CONSISTENT"
  }
}
