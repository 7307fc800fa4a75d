resource "aws_vpn_gateway" "sample" {
  amazon_side_asn = "64512"
}
