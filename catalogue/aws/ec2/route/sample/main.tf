resource "aws_route" "sample" {
  route_table_id            = "rtb-0123456789abcdef0"
  destination_cidr_block    = "10.1.2.0/24"
  vpc_peering_connection_id = "pcx-0123456789abcdef0"
}
