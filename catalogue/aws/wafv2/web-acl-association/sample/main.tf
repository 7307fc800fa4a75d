resource "aws_wafv2_web_acl_association" "sample" {
  resource_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
  web_acl_arn  = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/0aa1bbcc-1111-2222-3333-444455556666"
}
