resource "aws_organizations_account" "sample" {
  name  = "shop"
  email = "aws-shop@example.com"
}
