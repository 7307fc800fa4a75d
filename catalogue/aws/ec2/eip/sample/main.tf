resource "aws_eip" "sample" {
  domain   = "vpc"
  instance = "i-0123456789abcdef0"
  tags     = { Name = "shop" }
}
