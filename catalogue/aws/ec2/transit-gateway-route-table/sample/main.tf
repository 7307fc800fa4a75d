resource "aws_ec2_transit_gateway_route_table" "sample" {
  transit_gateway_id = "tgw-0123456789abcdef0"
}
