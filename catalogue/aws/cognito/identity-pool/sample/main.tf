resource "aws_cognito_identity_pool" "sample" {
  allow_classic_flow               = false
  allow_unauthenticated_identities = false
  identity_pool_name               = "shop"
  cognito_identity_providers {
    client_id               = "1example23456789"
    provider_name           = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI"
    server_side_token_check = true
  }
}
