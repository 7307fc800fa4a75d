resource "aws_lambda_function" "sample" {
  function_name                  = "ship-orders"
  handler                        = "app.handler"
  runtime                        = "python3.13"
  role                           = "arn:aws:iam::123456789012:role/ship"
  s3_bucket                      = "shop-code"
  s3_key                         = "ship.zip"
  memory_size                    = 256
  timeout                        = 30
  reserved_concurrent_executions = 20
  kms_key_arn                    = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  dead_letter_config {
    target_arn = "arn:aws:sqs:eu-central-1:123456789012:dead"
  }
  environment {
    variables = { BUCKET = "shop-orders" }
  }
  tracing_config {
    mode = "Active"
  }
  vpc_config {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  }
}
