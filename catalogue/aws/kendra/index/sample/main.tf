resource "aws_kendra_index" "sample" {
  edition  = "ENTERPRISE_EDITION"
  name     = "handbook"
  role_arn = "arn:aws:iam::123456789012:role/kendra"
  server_side_encryption_configuration {
    kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  }
}
