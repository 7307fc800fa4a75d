resource "aws_route53_record" "sample" {
  zone_id = "Z0123456789ABCDEFGHIJ"
  name    = "www.shop.example.com"
  type    = "A"
  ttl     = 300
  records = ["203.0.113.10"]
}
