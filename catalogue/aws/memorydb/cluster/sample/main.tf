resource "aws_memorydb_cluster" "sample" {
  kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  acl_name                   = "shop"
  auto_minor_version_upgrade = true
  name                       = "carts"
  node_type                  = "db.r7g.large"
  num_replicas_per_shard     = 1
  num_shards                 = 1
  security_group_ids         = ["sg-0123456789abcdef0"]
  snapshot_retention_limit   = 7
  subnet_group_name          = "private"
  tls_enabled                = true
}
