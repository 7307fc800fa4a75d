resource "aws_vpc_block_public_access_exclusion" "sample" {
  internet_gateway_exclusion_mode = "allow-egress"
  vpc_id = "vpc-0123456789abcdef0"
}
