resource "aws_timestreamwrite_database" "sample" {
  database_name = "sensors"
  kms_key_id    = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
}
