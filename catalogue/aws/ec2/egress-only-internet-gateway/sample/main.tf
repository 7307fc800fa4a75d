resource "aws_egress_only_internet_gateway" "sample" {
  vpc_id = "vpc-0123456789abcdef0"
}
