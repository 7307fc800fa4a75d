resource "aws_dms_endpoint" "sample" {
  endpoint_id   = "orders"
  endpoint_type = "source"
  engine_name   = "mysql"
  kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  port          = 3306
  server_name   = "db.shop.internal"
  ssl_mode      = "verify-full"
  username      = "dms"
}
