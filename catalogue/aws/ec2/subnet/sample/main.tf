resource "aws_subnet" "sample" {
  availability_zone       = "eu-west-1a"
  cidr_block              = "10.0.0.0/24"
  map_public_ip_on_launch = false
  vpc_id                  = "vpc-0123456789abcdef0"
  tags                    = { Name = "private-a" }
}
