resource "aws_vpn_gateway_route_propagation" "sample" {
  route_table_id = "rtb-0123456789abcdef0"
  vpn_gateway_id = "vgw-0123456789abcdef0"
}
