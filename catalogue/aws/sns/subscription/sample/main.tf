resource "aws_sns_topic_subscription" "sample" {
  endpoint  = "https://shop.example.com/orders"
  protocol  = "https"
  topic_arn = "arn:aws:sns:eu-central-1:123456789012:orders"
}
