resource "aws_networkfirewall_firewall" "sample" {
  delete_protection                 = true
  firewall_policy_arn               = "arn:aws:network-firewall:eu-central-1:123456789012:firewall-policy/edge"
  firewall_policy_change_protection = true
  name                              = "edge"
  subnet_change_protection          = true
  vpc_id                            = "vpc-0123456789abcdef0"
  subnet_mapping {
    subnet_id = "subnet-0a1b2c3d4e5f60001"
  }
  subnet_mapping {
    subnet_id = "subnet-0a1b2c3d4e5f60002"
  }
}
