resource "aws_fsx_windows_file_system" "sample" {
  active_directory_id             = "d-1234567890"
  automatic_backup_retention_days = 30
  copy_tags_to_backups            = true
  deployment_type                 = "MULTI_AZ_1"
  kms_key_id                      = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  preferred_subnet_id             = "subnet-0a1b2c3d4e5f60001"
  security_group_ids              = ["sg-0123456789abcdef0"]
  storage_capacity                = 300
  storage_type                    = "SSD"
  subnet_ids                      = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  throughput_capacity             = 32
  audit_log_configuration {
    file_access_audit_log_level       = "SUCCESS_AND_FAILURE"
    file_share_access_audit_log_level = "SUCCESS_AND_FAILURE"
  }
}
