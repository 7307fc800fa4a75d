resource "aws_secretsmanager_secret_rotation" "sample" {
  secret_id           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/database-AbCdEf"
  rotation_lambda_arn = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
  rotation_rules {
    automatically_after_days = 30
  }
}
