resource "aws_workspaces_workspace" "sample" {
  bundle_id                      = "wsb-0123abcde"
  directory_id                   = "d-0123456789"
  user_name                      = "ann"
  root_volume_encryption_enabled = true
  user_volume_encryption_enabled = true
  volume_encryption_key          = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
}
