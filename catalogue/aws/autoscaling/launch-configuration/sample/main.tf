resource "aws_launch_configuration" "sample" {
  name                        = "shop"
  associate_public_ip_address = false
  image_id                    = "ami-0123456789abcdef0"
  instance_type               = "m5.large"
  security_groups             = ["sg-0123456789abcdef0"]
  ebs_block_device {
    device_name = "/dev/xvda"
    encrypted   = true
    volume_size = 20
    volume_type = "gp3"
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_put_response_hop_limit = 1
    http_tokens                 = "required"
  }
}
