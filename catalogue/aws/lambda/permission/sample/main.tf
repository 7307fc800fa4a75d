resource "aws_lambda_permission" "sample" {
  action         = "lambda:InvokeFunction"
  function_name  = "ship-orders"
  principal      = "s3.amazonaws.com"
  source_account = "123456789012"
  source_arn     = "arn:aws:s3:::shop-orders"
}
