resource "aws_glue_dev_endpoint" "sample" {
  name                   = "lab"
  role_arn               = "arn:aws:iam::123456789012:role/glue"
  security_configuration = "sealed"
  security_group_ids     = ["sg-0123456789abcdef0"]
  subnet_id              = "subnet-0a1b2c3d4e5f60001"
}
