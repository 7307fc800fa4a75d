resource "aws_apigatewayv2_stage" "sample" {
  api_id      = "a1b2c3d4e5"
  name        = "$default"
  auto_deploy = true
  access_log_settings {
    destination_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:api"
    format          = "$context.requestId"
  }
  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = 100
    throttling_rate_limit    = 50
  }
}
