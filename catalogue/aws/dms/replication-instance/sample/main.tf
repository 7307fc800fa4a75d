resource "aws_dms_replication_instance" "sample" {
  replication_instance_id    = "move"
  replication_instance_class = "dms.t3.medium"
  engine_version             = "3.5.4"
  auto_minor_version_upgrade = true
  kms_key_arn                = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  multi_az                   = true
  publicly_accessible        = false
}
