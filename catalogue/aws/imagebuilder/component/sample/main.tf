resource "aws_imagebuilder_component" "sample" {
  kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name       = "harden"
  platform   = "Linux"
  uri        = "s3://shop-images/harden.yml"
  version    = "1.0.0"
}
