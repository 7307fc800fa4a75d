# Rules inside and outside of groups, dynamic blocks, self, references.

variable "ports" {
  default = { http = 80, https = 443 }
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_security_group" "inline" {
  name   = "inline"
  vpc_id = aws_vpc.main.id
  ingress {
    description      = "web"
    from_port        = 443
    to_port          = 443
    protocol         = "6"
    cidr_blocks      = ["0.0.0.0/0", "10.0.0.0/8"]
    ipv6_cidr_blocks = ["::/0"]
  }
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
  egress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.separate.id]
  }
}

resource "aws_security_group" "dynamic" {
  description = "Ports from a map"
  vpc_id      = aws_vpc.main.id
  dynamic "ingress" {
    for_each = var.ports
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}

# What its blocks are is known only after apply.
resource "aws_security_group" "later" {
  vpc_id = aws_vpc.main.id
  dynamic "ingress" {
    for_each = aws_vpc.main.main_route_table_id == "rtb-1" ? [22] : []
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}

resource "aws_security_group" "separate" {
  name   = "separate"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group_rule" "in" {
  for_each          = var.ports
  type              = "ingress"
  security_group_id = aws_security_group.separate.id
  from_port         = each.value
  to_port           = each.value
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group_rule" "self" {
  type              = "ingress"
  security_group_id = aws_security_group.separate.id
  from_port         = 0
  to_port           = 65535
  protocol          = "all"
  self              = true
}

resource "aws_security_group_rule" "out" {
  type                     = "egress"
  security_group_id        = aws_security_group.separate.id
  from_port                = 443
  to_port                  = 443
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.inline.id
}

resource "aws_security_group" "modern" {
  count  = 2
  vpc_id = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "modern" {
  count             = 2
  security_group_id = aws_security_group.modern[count.index].id
  cidr_ipv4         = "10.${count.index}.0.0/16"
  from_port         = 22
  to_port           = 22
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "modern" {
  security_group_id            = aws_security_group.modern[1].id
  referenced_security_group_id = aws_security_group.inline.id
  ip_protocol                  = "-1"
}
