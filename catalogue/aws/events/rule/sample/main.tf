resource "aws_cloudwatch_event_rule" "sample" {
  name                = "nightly"
  description         = "Counts the orders of the day"
  schedule_expression = "cron(0 1 * * ? *)"
  state               = "ENABLED"
}

resource "aws_cloudwatch_event_target" "count" {
  rule      = aws_cloudwatch_event_rule.sample.name
  target_id = "count"
  arn       = "arn:aws:lambda:eu-central-1:123456789012:function:count-orders"
}
