terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "region" {
  default = "eu-central-1"
}

variable "account" {
  default = "123456789012"
}

variable "env" {
  default = "prod"
}

variable "office_cidr" {
  default = "203.0.113.0/24"
}

variable "database_password" {
  default   = "not-the-real-one"
  sensitive = true
}

provider "aws" {
  region                      = var.region
  access_key                  = "plan"
  secret_key                  = "plan"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  default_tags {
    tags = { Service = "shop", Env = var.env }
  }
}

locals {
  zones   = ["${var.region}a", "${var.region}b"]
  is_prod = var.env == "prod"
}

# Network

resource "aws_vpc" "shop" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "shop" {
  vpc_id = aws_vpc.shop.id
}

resource "aws_subnet" "public" {
  for_each                = { for i, zone in local.zones : zone => i }
  vpc_id                  = aws_vpc.shop.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet("10.20.0.0/16", 8, each.value)
  map_public_ip_on_launch = true
}

resource "aws_subnet" "data" {
  count             = 2
  vpc_id            = aws_vpc.shop.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet("10.20.0.0/16", 8, 2 + count.index)
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.shop.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.shop.id
  }
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "balancer" {
  name        = "balancer"
  description = "The shop's front door"
  vpc_id      = aws_vpc.shop.id
  dynamic "ingress" {
    for_each = [443, 80]
    content {
      description = "customers"
      protocol    = "tcp"
      from_port   = ingress.value
      to_port     = ingress.value
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}

resource "aws_security_group" "web" {
  name        = "web"
  description = "Web instances"
  vpc_id      = aws_vpc.shop.id
}

resource "aws_vpc_security_group_ingress_rule" "web_from_balancer" {
  security_group_id            = aws_security_group.web.id
  description                  = "from the balancer"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_security_group_rule" "web_ssh" {
  security_group_id = aws_security_group.web.id
  type              = "ingress"
  description       = "administration"
  protocol          = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group" "database" {
  name        = "database"
  description = "The database"
  vpc_id      = aws_vpc.shop.id
  ingress {
    description     = "the web instances"
    protocol        = "tcp"
    from_port       = 5432
    to_port         = 5432
    security_groups = [aws_security_group.web.id]
    cidr_blocks     = [var.office_cidr]
  }
}

# Front

resource "aws_lb" "shop" {
  name                       = "shop"
  internal                   = false
  load_balancer_type         = "application"
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = false
}

resource "aws_acm_certificate" "shop" {
  domain_name       = "shop.example.com"
  validation_method = "DNS"
}

resource "aws_lb_target_group" "web" {
  name     = "web"
  vpc_id   = aws_vpc.shop.id
  port     = 8080
  protocol = "HTTP"
  health_check {
    path = "/health"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate.shop.arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.shop.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_launch_template" "web" {
  name          = "web"
  image_id      = "ami-0123456789abcdef0"
  instance_type = local.is_prod ? "m7g.large" : "t4g.small"
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = 30
      volume_type = "gp3"
      encrypted   = true
    }
  }
}

resource "aws_autoscaling_group" "web" {
  name                      = "web"
  min_size                  = 2
  max_size                  = 6
  vpc_zone_identifier       = [for subnet in aws_subnet.public : subnet.id]
  target_group_arns         = [aws_lb_target_group.web.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 120
  launch_template {
    id      = aws_launch_template.web.id
    version = aws_launch_template.web.latest_version
  }
}

resource "aws_instance" "back_office" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.small"
  subnet_id              = aws_subnet.public[local.zones[0]].id
  vpc_security_group_ids = [aws_security_group.web.id]
  root_block_device {
    volume_size = 20
    encrypted   = false
  }
  user_data = <<-SH
    #!/bin/bash
    export DATABASE_URL=postgres://shop:tr0ub4dor-and-3@db.shop.internal:5432/shop
    /opt/backoffice/start
  SH
}

resource "aws_iam_role" "web" {
  name = "shop-web"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "web" {
  role       = aws_iam_role.web.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "web" {
  name = "orders"
  role = aws_iam_role.web.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::shop-orders-${var.account}/*" }]
  })
}

# Data

resource "aws_kms_key" "data" {
  description         = "Orders and customers"
  enable_key_rotation = true
}

resource "aws_db_subnet_group" "data" {
  name       = "data"
  subnet_ids = aws_subnet.data[*].id
}

resource "aws_db_instance" "shop" {
  identifier              = "shop"
  engine                  = "postgres"
  engine_version          = "16.6"
  instance_class          = local.is_prod ? "db.r7g.large" : "db.t4g.medium"
  allocated_storage       = 100
  username                = "shop"
  password                = var.database_password
  db_subnet_group_name    = aws_db_subnet_group.data.name
  vpc_security_group_ids  = [aws_security_group.database.id]
  storage_encrypted       = true
  kms_key_id              = aws_kms_key.data.arn
  multi_az                = local.is_prod
  publicly_accessible     = true
  backup_retention_period = 1
  copy_tags_to_snapshot   = true
  skip_final_snapshot     = true
}

resource "aws_dynamodb_table" "sessions" {
  name         = "sessions"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  point_in_time_recovery {
    enabled = local.is_prod
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.data.arn
  }
}

resource "aws_s3_bucket" "orders" {
  bucket = "shop-orders-${var.account}"
}

resource "aws_s3_bucket_versioning" "orders" {
  bucket = aws_s3_bucket.orders.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "orders" {
  bucket = aws_s3_bucket.orders.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "orders" {
  bucket                  = aws_s3_bucket.orders.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_logging" "orders" {
  bucket        = aws_s3_bucket.orders.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "orders/"
}

resource "aws_s3_bucket_policy" "orders" {
  bucket = aws_s3_bucket.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "tls-only"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::shop-orders-${var.account}", "arn:aws:s3:::shop-orders-${var.account}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_bucket" "uploads" {
  bucket = "shop-uploads-${var.account}"
}

resource "aws_s3_bucket_public_access_block" "uploads" {
  bucket                  = aws_s3_bucket.uploads.id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

resource "aws_s3_bucket_policy" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = ["s3:GetObject", "s3:PutObject"]
      Resource  = "arn:aws:s3:::shop-uploads-${var.account}/*"
    }]
  })
}

resource "aws_s3_bucket" "logs" {
  bucket = "shop-logs-${var.account}"
}

# Jobs

resource "aws_sqs_queue" "orders" {
  name              = "orders"
  kms_master_key_id = aws_kms_key.data.id
  redrive_policy    = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue" "dead" {
  name                    = "dead-orders"
  sqs_managed_sse_enabled = false
}

resource "aws_sns_topic" "announcements" {
  name = "announcements"
}

resource "aws_sns_topic_policy" "announcements" {
  arn = aws_sns_topic.announcements.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sns:Publish", Resource = "*" }]
  })
}

resource "aws_iam_role" "jobs" {
  for_each = toset(["ship", "thumbnails"])
  name     = "shop-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "ship" {
  function_name = "ship-orders"
  role          = aws_iam_role.jobs["ship"].arn
  s3_bucket     = "shop-artefacts"
  s3_key        = "ship.zip"
  handler       = "app.handler"
  runtime       = "python3.13"
  timeout       = 30
  tracing_config {
    mode = "Active"
  }
}

resource "aws_lambda_function" "thumbnails" {
  function_name = "thumbnails"
  role          = aws_iam_role.jobs["thumbnails"].arn
  s3_bucket     = "shop-artefacts"
  s3_key        = "thumbnails.zip"
  handler       = "app.handler"
  runtime       = "python3.8"
  environment {
    variables = {
      BUCKET          = aws_s3_bucket.uploads.id
      PAYMENT_API_KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    }
  }
}

resource "aws_secretsmanager_secret" "payment" {
  name        = "payment"
  description = "Payment provider"
}

resource "aws_ecr_repository" "images" {
  name                 = "shop"
  image_tag_mutability = "MUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
}

# Seeing

resource "aws_cloudtrail" "shop" {
  name                          = "shop"
  s3_bucket_name                = aws_s3_bucket.logs.id
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
}

resource "aws_cloudwatch_log_group" "web" {
  name = "/shop/web"
}

# People

resource "aws_iam_group" "developers" {
  name = "developers"
}

resource "aws_iam_group_policy_attachment" "developers" {
  group      = aws_iam_group.developers.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_user" "maria" {
  name = "maria"
}

resource "aws_iam_user_group_membership" "maria" {
  user   = aws_iam_user.maria.name
  groups = [aws_iam_group.developers.name]
}

resource "aws_iam_user_policy" "maria" {
  name = "everything"
  user = aws_iam_user.maria.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}

resource "aws_iam_role" "partner" {
  name = "shop-partner"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "*" } }]
  })
}

resource "aws_iam_policy" "read_sessions" {
  name = "read-sessions"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:Query"], Resource = aws_dynamodb_table.sessions.arn }]
  })
}

resource "aws_iam_role_policy_attachment" "partner" {
  role       = aws_iam_role.partner.name
  policy_arn = aws_iam_policy.read_sessions.arn
}
