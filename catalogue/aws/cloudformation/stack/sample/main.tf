resource "aws_cloudformation_stack" "sample" {
  name              = "shop"
  iam_role_arn      = "arn:aws:iam::123456789012:role/deploy"
  notification_arns = ["arn:aws:sns:eu-central-1:123456789012:stacks"]
  template_url      = "https://s3.eu-central-1.amazonaws.com/shop-templates/shop.yaml"
  tags              = { owner = "shop" }
}
