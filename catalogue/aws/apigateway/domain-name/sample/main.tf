resource "aws_api_gateway_domain_name" "sample" {
  domain_name              = "api.shop.example.com"
  regional_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0aa1bbcc-1111-2222-3333-444455556666"
  security_policy          = "TLS_1_2"
  endpoint_configuration {
    types = ["REGIONAL"]
  }
}
