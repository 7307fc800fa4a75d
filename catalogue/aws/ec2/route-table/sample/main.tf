resource "aws_route_table" "sample" {
  vpc_id = "vpc-0123456789abcdef0"
  tags   = { Name = "private" }
}
