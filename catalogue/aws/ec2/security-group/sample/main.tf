resource "aws_security_group" "sample" {
  name        = "shop-web"
  description = "Web servers"
  vpc_id      = "vpc-0123456789abcdef0"
  ingress {
    description = "HTTPS from everywhere"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    description = "Database"
    protocol    = "tcp"
    from_port   = 5432
    to_port     = 5432
    cidr_blocks = ["10.0.0.0/16"]
  }
  tags = { owner = "shop" }
}
