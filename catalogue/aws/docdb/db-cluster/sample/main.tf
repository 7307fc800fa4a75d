resource "aws_docdb_cluster" "sample" {
  cluster_identifier              = "catalogue"
  engine_version                  = "5.0.0"
  master_username                 = "shopowner"
  port                            = 27018
  backup_retention_period         = 14
  deletion_protection             = true
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
  storage_encrypted               = true
  kms_key_id                      = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  vpc_security_group_ids          = ["sg-0123456789abcdef0"]
}
