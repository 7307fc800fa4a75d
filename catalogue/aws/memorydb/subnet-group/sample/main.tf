resource "aws_memorydb_subnet_group" "sample" {
  description = "Of the shop"
  name = "shop"
  subnet_ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
}
