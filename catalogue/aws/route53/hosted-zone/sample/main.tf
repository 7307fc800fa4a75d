resource "aws_route53_zone" "sample" {
  name    = "shop.example.com"
  comment = "The shop"
}

resource "aws_route53_query_log" "sample" {
  zone_id                  = aws_route53_zone.sample.zone_id
  cloudwatch_log_group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/route53/shop"
}
