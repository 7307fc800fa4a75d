resource "aws_dms_replication_subnet_group" "sample" {
  replication_subnet_group_description = "Of the shop"
  replication_subnet_group_id = "shop"
  subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
}
