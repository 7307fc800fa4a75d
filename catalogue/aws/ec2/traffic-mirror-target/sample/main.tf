resource "aws_ec2_traffic_mirror_target" "sample" {
  description          = "Inspection"
  network_interface_id = "eni-0123456789abcdef0"
}
