resource "aws_lb_target_group" "sample" {
  name        = "web"
  port        = 8443
  protocol    = "HTTPS"
  target_type = "ip"
  vpc_id      = "vpc-0123456789abcdef0"
  health_check {
    path     = "/health"
    protocol = "HTTPS"
    matcher  = "200"
  }
  stickiness {
    enabled         = true
    type            = "lb_cookie"
    cookie_duration = 3600
  }
}
