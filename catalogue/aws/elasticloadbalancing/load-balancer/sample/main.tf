resource "aws_elb" "sample" {
  name                        = "old-shop"
  internal                    = true
  subnets                     = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  cross_zone_load_balancing   = true
  connection_draining         = true
  connection_draining_timeout = 60
  access_logs {
    bucket = "shop-logs"
  }
  listener {
    instance_port      = 443
    instance_protocol  = "HTTPS"
    lb_port            = 443
    lb_protocol        = "HTTPS"
    ssl_certificate_id = "arn:aws:acm:eu-central-1:123456789012:certificate/0aa1bbcc-1111-2222-3333-444455556666"
  }
}
