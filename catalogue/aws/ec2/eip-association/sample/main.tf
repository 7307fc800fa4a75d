resource "aws_eip_association" "sample" {
  allocation_id = "eipalloc-0123456789abcdef0"
  instance_id   = "i-0123456789abcdef0"
}
