resource "aws_api_gateway_method" "sample" {
  api_key_required     = false
  authorization        = "COGNITO_USER_POOLS"
  authorizer_id        = "abc123"
  http_method          = "POST"
  request_validator_id = "def456"
  resource_id          = "r1"
  rest_api_id          = "a1b2c3d4e5"
}
