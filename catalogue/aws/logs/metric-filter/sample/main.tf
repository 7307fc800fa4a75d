resource "aws_cloudwatch_log_metric_filter" "sample" {
  name           = "root"
  log_group_name = "/trail"
  pattern        = "{ $.userIdentity.type = \"Root\" }"
  metric_transformation {
    name      = "RootUse"
    namespace = "Audit"
    value     = "1"
  }
}
