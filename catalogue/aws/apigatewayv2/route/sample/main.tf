resource "aws_apigatewayv2_route" "sample" {
  api_id             = "a1b2c3d4e5"
  route_key          = "GET /orders"
  authorization_type = "JWT"
  authorizer_id      = "abc123"
}
