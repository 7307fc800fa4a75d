resource "aws_secretsmanager_secret_policy" "sample" {
  secret_arn          = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/database-AbCdEf"
  block_public_policy = true
  policy              = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/app"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]})
}
