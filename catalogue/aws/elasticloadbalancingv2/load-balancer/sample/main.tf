resource "aws_lb" "sample" {
  name                       = "shop"
  internal                   = false
  load_balancer_type         = "application"
  security_groups            = ["sg-0123456789abcdef0"]
  subnets                    = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  enable_deletion_protection = true
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  access_logs {
    enabled = true
    bucket  = "shop-logs"
  }
}
