resource "aws_sfn_state_machine" "sample" {
  name       = "orders"
  role_arn   = "arn:aws:iam::123456789012:role/steps"
  definition = "{}"
  logging_configuration {
    level = "ERROR"
  }
  tracing_configuration {
    enabled = true
  }
}
