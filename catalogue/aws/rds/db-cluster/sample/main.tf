resource "aws_rds_cluster" "sample" {
  cluster_identifier                  = "shop"
  engine                              = "aurora-mysql"
  master_username                     = "shopowner"
  port                                = 6306
  storage_encrypted                   = true
  kms_key_id                          = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  backup_retention_period             = 14
  backtrack_window                    = 86400
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  enabled_cloudwatch_logs_exports     = ["audit", "error"]
  iam_database_authentication_enabled = true
}
