resource "aws_network_interface" "sample" {
  description       = "Web"
  security_groups   = ["sg-0123456789abcdef0"]
  source_dest_check = true
  subnet_id         = "subnet-0123456789abcdef0"
}
