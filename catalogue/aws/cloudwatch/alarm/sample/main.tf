resource "aws_cloudwatch_metric_alarm" "sample" {
  alarm_name          = "root-use"
  actions_enabled     = true
  alarm_actions       = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 1
  metric_name         = "RootUse"
  namespace           = "Audit"
  period              = 300
  statistic           = "Sum"
  threshold           = 1
}
