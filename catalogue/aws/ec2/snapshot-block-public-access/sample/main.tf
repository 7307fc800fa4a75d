resource "aws_ebs_snapshot_block_public_access" "sample" {
  state = "block-all-sharing"
}
