resource "aws_vpc_peering_connection" "sample" {
  vpc_id        = "vpc-0123456789abcdef0"
  peer_vpc_id   = "vpc-0fedcba9876543210"
  peer_owner_id = "123456789012"
  peer_region   = "eu-west-1"
  tags          = { owner = "shop" }
}
