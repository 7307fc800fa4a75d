resource "aws_db_proxy" "sample" {
  debug_logging          = false
  engine_family          = "POSTGRESQL"
  name                   = "orders"
  require_tls            = true
  role_arn               = "arn:aws:iam::123456789012:role/proxy"
  vpc_security_group_ids = ["sg-0123456789abcdef0"]
  vpc_subnet_ids         = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  auth {
    auth_scheme               = "SECRETS"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
    iam_auth                  = "REQUIRED"
    secret_arn                = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
  }
}
