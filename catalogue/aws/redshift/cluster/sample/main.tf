resource "aws_redshift_cluster" "sample" {
  cluster_identifier                  = "shop-numbers"
  database_name                       = "numbers"
  master_username                     = "shopowner"
  port                                = 5440
  node_type                           = "ra3.large"
  number_of_nodes                     = 2
  multi_az                            = true
  allow_version_upgrade               = true
  automated_snapshot_retention_period = 14
  encrypted                           = true
  kms_key_id                          = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  enhanced_vpc_routing                = true
  publicly_accessible                 = false
}

resource "aws_redshift_logging" "sample" {
  cluster_identifier = aws_redshift_cluster.sample.id
  bucket_name        = "shop-logs"
}
