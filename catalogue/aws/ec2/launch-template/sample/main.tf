resource "aws_launch_template" "sample" {
  name          = "shop-web"
  image_id      = "ami-0123456789abcdef0"
  instance_type = "m7g.large"
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted   = true
      volume_size = 20
      volume_type = "gp3"
    }
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_put_response_hop_limit = 1
    http_tokens                 = "required"
  }
  monitoring {
    enabled = true
  }
  network_interfaces {
    associate_public_ip_address = false
    device_index                = 0
    security_groups             = ["sg-0123456789abcdef0"]
  }
}
