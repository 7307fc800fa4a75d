resource "aws_elasticache_serverless_cache" "sample" {
  daily_snapshot_time      = "03:00"
  engine                   = "valkey"
  kms_key_id               = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name                     = "sessions"
  security_group_ids       = ["sg-0123456789abcdef0"]
  snapshot_retention_limit = 7
  subnet_ids               = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  user_group_id            = "sessions"
}
