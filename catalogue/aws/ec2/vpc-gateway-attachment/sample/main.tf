resource "aws_internet_gateway_attachment" "sample" {
  internet_gateway_id = "igw-0123456789abcdef0"
  vpc_id              = "vpc-0123456789abcdef0"
}
