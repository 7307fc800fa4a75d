resource "aws_efs_file_system" "sample" {
  encrypted        = true
  kms_key_id       = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  performance_mode = "generalPurpose"
}

resource "aws_efs_backup_policy" "sample" {
  file_system_id = aws_efs_file_system.sample.id
  backup_policy {
    status = "ENABLED"
  }
}
