resource "aws_sagemaker_notebook_instance" "sample" {
  name                   = "numbers"
  role_arn               = "arn:aws:iam::123456789012:role/numbers"
  instance_type          = "ml.t3.medium"
  direct_internet_access = "Disabled"
  root_access            = "Disabled"
  kms_key_id             = "1234abcd-12ab-34cd-56ef-1234567890ab"
  subnet_id              = "subnet-0123456789abcdef0"
  security_groups        = ["sg-0123456789abcdef0"]
  platform_identifier    = "notebook-al2-v3"
}
