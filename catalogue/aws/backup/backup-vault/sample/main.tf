resource "aws_backup_vault" "sample" {
  name        = "shop"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
}

resource "aws_backup_vault_lock_configuration" "sample" {
  backup_vault_name  = aws_backup_vault.sample.name
  min_retention_days = 35
  max_retention_days = 365
}

resource "aws_backup_vault_policy" "sample" {
  backup_vault_name = aws_backup_vault.sample.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Deny", Principal = "*", Action = "backup:DeleteRecoveryPoint", Resource = "*" }]
  })
}
