resource "aws_lambda_function_url" "sample" {
  function_name      = "arn:aws:lambda:eu-central-1:123456789012:function:ship-orders"
  authorization_type = "AWS_IAM"
  cors {
    allow_origins = ["https://shop.example.com"]
  }
}
