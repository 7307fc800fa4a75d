resource "aws_elasticache_replication_group" "sample" {
  replication_group_id       = "sessions"
  description                = "sessions"
  engine                     = "valkey"
  node_type                  = "cache.r7g.large"
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auto_minor_version_upgrade = true
  automatic_failover_enabled = true
  multi_az_enabled           = true
  kms_key_id                 = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  snapshot_retention_limit   = 7
  user_group_ids             = ["sessions"]
}
