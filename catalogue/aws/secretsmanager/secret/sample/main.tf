resource "aws_secretsmanager_secret" "sample" {
  name        = "shop/database"
  description = "Database"
  kms_key_id  = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
}
