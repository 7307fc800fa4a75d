resource "aws_nat_gateway" "sample" {
  allocation_id     = "eipalloc-0123456789abcdef0"
  connectivity_type = "public"
  subnet_id         = "subnet-0123456789abcdef0"
  tags              = { Name = "shop" }
}
