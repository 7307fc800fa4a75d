resource "aws_qldb_ledger" "sample" {
  deletion_protection = true
  kms_key             = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name                = "accounts"
  permissions_mode    = "STANDARD"
}
