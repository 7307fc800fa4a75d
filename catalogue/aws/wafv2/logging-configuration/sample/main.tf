resource "aws_wafv2_web_acl_logging_configuration" "sample" {
  log_destination_configs = ["arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-shop"]
  resource_arn            = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0aa1bbcc-1111-2222-3333-444455556666"
}
