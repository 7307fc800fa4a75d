resource "aws_network_acl" "sample" {
  vpc_id = "vpc-0123456789abcdef0"
  tags   = { Name = "private" }
}
