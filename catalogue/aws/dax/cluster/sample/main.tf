resource "aws_dax_cluster" "sample" {
  availability_zones               = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  cluster_endpoint_encryption_type = "TLS"
  cluster_name                     = "carts"
  iam_role_arn                     = "arn:aws:iam::123456789012:role/dax"
  node_type                        = "dax.r5.large"
  replication_factor               = 3
  security_group_ids               = ["sg-0123456789abcdef0"]
  subnet_group_name                = "private"
  server_side_encryption {
    enabled = true
  }
}
