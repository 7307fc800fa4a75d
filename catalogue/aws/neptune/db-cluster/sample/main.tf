resource "aws_neptune_cluster" "sample" {
  cluster_identifier                  = "friends"
  engine_version                      = "1.3.2.1"
  port                                = 8183
  backup_retention_period             = 14
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  enable_cloudwatch_logs_exports      = ["audit"]
  iam_database_authentication_enabled = true
  storage_encrypted                   = true
  kms_key_arn                         = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  vpc_security_group_ids              = ["sg-0123456789abcdef0"]
}
