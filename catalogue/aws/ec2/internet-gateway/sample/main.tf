resource "aws_internet_gateway" "sample" {
  tags = { Name = "shop" }
}
