resource "aws_ec2_transit_gateway_route_table_propagation" "sample" {
  transit_gateway_attachment_id = "tgw-attach-0123456789abcdef0"
  transit_gateway_route_table_id = "tgw-rtb-0123456789abcdef0"
}
