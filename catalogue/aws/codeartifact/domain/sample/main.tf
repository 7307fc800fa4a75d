resource "aws_codeartifact_domain" "sample" {
  domain         = "shop"
  encryption_key = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
}
