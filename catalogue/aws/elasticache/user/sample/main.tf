resource "aws_elasticache_user" "sample" {
  access_string = "on ~orders:* +@read"
  engine        = "valkey"
  user_id       = "orders"
  user_name     = "orders"
  authentication_mode {
    type = "iam"
  }
}
