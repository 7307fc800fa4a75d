resource "aws_dlm_lifecycle_policy" "sample" {
  description        = "daily snapshots"
  execution_role_arn = "arn:aws:iam::123456789012:role/dlm"
  state              = "ENABLED"
  policy_details {
    resource_types = ["VOLUME"]
    target_tags = {
      "backup" = "daily"
    }
    schedule {
      name = "daily"
      create_rule {
        interval      = 24
        interval_unit = "HOURS"
      }
      cross_region_copy_rule {
        cmk_arn   = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
        encrypted = true
        target    = "eu-west-1"
      }
      retain_rule {
        count = 14
      }
    }
  }
}
