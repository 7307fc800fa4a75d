resource "aws_network_acl_association" "sample" {
  network_acl_id = "acl-0123456789abcdef0"
  subnet_id      = "subnet-0123456789abcdef0"
}
