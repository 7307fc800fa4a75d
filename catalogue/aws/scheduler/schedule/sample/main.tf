resource "aws_scheduler_schedule" "sample" {
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name                = "nightly"
  schedule_expression = "rate(1 day)"
  state               = "ENABLED"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:lambda:eu-central-1:123456789012:function:nightly"
    role_arn = "arn:aws:iam::123456789012:role/scheduler"
    dead_letter_config {
      arn = "arn:aws:sqs:eu-central-1:123456789012:missed"
    }
  }
}
