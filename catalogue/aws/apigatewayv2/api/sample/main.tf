resource "aws_apigatewayv2_api" "sample" {
  name                         = "orders"
  description                  = "Orders of the shop"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true
  cors_configuration {
    allow_origins = ["https://shop.example.com"]
    allow_methods = ["GET"]
  }
}
