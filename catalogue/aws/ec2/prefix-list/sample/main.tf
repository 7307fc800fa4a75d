resource "aws_ec2_managed_prefix_list" "sample" {
  name           = "shops"
  address_family = "IPv4"
  max_entries    = 5

  entry {
    cidr = "10.0.0.0/16"
  }
}
