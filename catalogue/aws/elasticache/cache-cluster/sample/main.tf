resource "aws_elasticache_cluster" "sample" {
  cluster_id                 = "pages"
  engine                     = "memcached"
  engine_version             = "1.6.22"
  node_type                  = "cache.t4g.small"
  num_cache_nodes            = 2
  az_mode                    = "cross-az"
  subnet_group_name          = "data"
  security_group_ids         = ["sg-0123456789abcdef0"]
  auto_minor_version_upgrade = true
  transit_encryption_enabled = true
}
