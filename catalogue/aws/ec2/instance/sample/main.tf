resource "aws_instance" "sample" {
  ami                     = "ami-0123456789abcdef0"
  instance_type           = "m7g.large"
  disable_api_termination = true
  ebs_optimized           = true
  iam_instance_profile    = "shop-web"
  monitoring              = true
  subnet_id               = "subnet-0123456789abcdef0"
  vpc_security_group_ids  = ["sg-0123456789abcdef0"]
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
  tags = { owner = "shop" }
}
