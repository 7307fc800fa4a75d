resource "aws_api_gateway_stage" "sample" {
  rest_api_id           = "a1b2c3d4e5"
  deployment_id         = "d1"
  stage_name            = "prod"
  client_certificate_id = "abc123"
  xray_tracing_enabled  = true
  access_log_settings {
    destination_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:api"
    format          = "$context.requestId"
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = "a1b2c3d4e5"
  stage_name  = aws_api_gateway_stage.sample.stage_name
  method_path = "*/*"
  settings {
    cache_data_encrypted = true
    logging_level        = "INFO"
  }
}
