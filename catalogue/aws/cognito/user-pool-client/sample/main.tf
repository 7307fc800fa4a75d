resource "aws_cognito_user_pool_client" "sample" {
  access_token_validity         = 1
  allowed_oauth_flows           = ["code"]
  callback_urls                 = ["https://shop.example.com/in"]
  enable_token_revocation       = true
  explicit_auth_flows           = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  name                          = "web"
  prevent_user_existence_errors = "ENABLED"
  refresh_token_validity        = 30
  user_pool_id                  = "eu-central-1_AbCdEfGhI"
}
