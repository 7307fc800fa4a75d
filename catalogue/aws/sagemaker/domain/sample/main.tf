resource "aws_sagemaker_domain" "sample" {
  app_network_access_type = "VpcOnly"
  auth_mode               = "SSO"
  domain_name             = "lab"
  kms_key_id              = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  subnet_ids              = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  vpc_id                  = "vpc-0123456789abcdef0"
  default_user_settings {
    execution_role  = "arn:aws:iam::123456789012:role/studio"
    security_groups = ["sg-0123456789abcdef0"]
  }
}
