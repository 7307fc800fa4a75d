resource "aws_ec2_transit_gateway_vpc_attachment" "sample" {
  appliance_mode_support = "disable"
  dns_support = "enable"
  ipv6_support = "disable"
  security_group_referencing_support = "enable"
  subnet_ids = ["subnet-0123456789abcdef0"]
  transit_gateway_id = "tgw-0123456789abcdef0"
  vpc_id = "vpc-0123456789abcdef0"
}
