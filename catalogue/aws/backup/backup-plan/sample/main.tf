resource "aws_backup_plan" "sample" {
  name = "daily"
  rule {
    rule_name                = "daily"
    target_vault_name        = "shop"
    schedule                 = "cron(0 3 * * ? *)"
    enable_continuous_backup = true
    lifecycle {
      delete_after = 35
    }
    copy_action {
      destination_vault_arn = "arn:aws:backup:eu-west-1:123456789012:backup-vault:copies"
    }
  }
}
