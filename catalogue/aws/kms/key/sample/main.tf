resource "aws_kms_key" "sample" {
  description             = "Orders"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  is_enabled              = true
  policy                  = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]})
  tags                    = { owner = "shop" }
}
