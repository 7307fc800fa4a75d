resource "aws_ebs_volume" "sample" {
  availability_zone = "eu-west-1a"
  encrypted         = true
  kms_key_id        = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  size              = 100
  type              = "gp3"
  tags              = { owner = "shop" }
}
