resource "aws_vpn_connection_route" "sample" {
  destination_cidr_block = "172.16.0.0/16"
  vpn_connection_id = "vpn-0123456789abcdef0"
}
