resource "aws_apigatewayv2_domain_name" "sample" {
  domain_name = "api.shop.example.com"
  domain_name_configuration {
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0aa1bbcc-1111-2222-3333-444455556666"
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}
