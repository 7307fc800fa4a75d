resource "aws_ssm_parameter" "sample" {
  name           = "/shop/url"
  description    = "Where the shop is"
  type           = "String"
  insecure_value = "https://shop.example.com"
}
