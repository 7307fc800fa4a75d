resource "aws_vpc_ipv4_cidr_block_association" "sample" {
  cidr_block = "10.1.0.0/16"
  vpc_id = "vpc-0123456789abcdef0"
}
