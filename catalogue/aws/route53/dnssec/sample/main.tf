resource "aws_route53_hosted_zone_dnssec" "sample" {
  hosted_zone_id = "Z0123456789ABCDEFGHIJ"
}
