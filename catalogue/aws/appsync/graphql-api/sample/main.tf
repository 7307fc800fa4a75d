resource "aws_appsync_graphql_api" "sample" {
  authentication_type  = "AMAZON_COGNITO_USER_POOLS"
  introspection_config = "DISABLED"
  name                 = "shop"
  query_depth_limit    = 8
  visibility           = "GLOBAL"
  xray_enabled         = true
  log_config {
    cloudwatch_logs_role_arn = "arn:aws:iam::123456789012:role/appsync-logs"
    field_log_level          = "ERROR"
  }
  user_pool_config {
    aws_region     = "eu-central-1"
    default_action = "ALLOW"
    user_pool_id   = "eu-central-1_AbCdEfGhI"
  }
}
