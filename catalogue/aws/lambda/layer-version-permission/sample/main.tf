resource "aws_lambda_layer_version_permission" "sample" {
  statement_id   = "partner"
  version_number = 3
  action         = "lambda:GetLayerVersion"
  layer_name     = "arn:aws:lambda:eu-central-1:123456789012:layer:tools:3"
  principal      = "210987654321"
}
