resource "aws_db_instance" "sample" {
  identifier                          = "shop"
  allocated_storage                   = 100
  auto_minor_version_upgrade          = true
  backup_retention_period             = 14
  copy_tags_to_snapshot               = true
  instance_class                      = "db.r7g.large"
  db_subnet_group_name                = "data"
  deletion_protection                 = true
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  iam_database_authentication_enabled = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  engine                              = "postgres"
  engine_version                      = "16.6"
  kms_key_id                          = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  manage_master_user_password         = true
  username                            = "shopowner"
  monitoring_interval                 = 60
  monitoring_role_arn                 = "arn:aws:iam::123456789012:role/monitoring"
  multi_az                            = true
  port                                = 6432
  publicly_accessible                 = false
  storage_encrypted                   = true
}
