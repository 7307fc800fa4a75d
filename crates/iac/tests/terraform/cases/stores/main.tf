# Databases, queues, topics, keys, the trail and the edge.

resource "aws_kms_key" "main" {
  description             = "Data"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_kms_key_policy" "main" {
  key_id = aws_kms_key.main.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "kms:*", Resource = "*" }] })
}

resource "aws_db_instance" "main" {
  identifier                      = "main"
  engine                          = "postgres"
  instance_class                  = "db.t4g.micro"
  allocated_storage               = 20
  username                        = "app"
  password                        = "correct-horse"
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.main.arn
  multi_az                        = true
  backup_retention_period         = 14
  enabled_cloudwatch_logs_exports = ["postgresql"]
  vpc_security_group_ids          = ["sg-0123456789abcdef0"]
  skip_final_snapshot             = true
}

resource "aws_rds_cluster" "main" {
  cluster_identifier          = "cluster"
  engine                      = "aurora-postgresql"
  master_username             = "app"
  manage_master_user_password = true
  deletion_protection         = true
  iam_roles                   = ["arn:aws:iam::123456789012:role/s3"]
}

resource "aws_rds_cluster_instance" "main" {
  count                = 2
  identifier           = "cluster-${count.index}"
  cluster_identifier   = aws_rds_cluster.main.id
  engine               = aws_rds_cluster.main.engine
  instance_class       = "db.r6g.large"
  publicly_accessible  = count.index == 1
}

resource "aws_dynamodb_table" "main" {
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  range_key    = "at"
  attribute {
    name = "id"
    type = "S"
  }
  attribute {
    name = "at"
    type = "N"
  }
  global_secondary_index {
    name            = "by-time"
    hash_key        = "at"
    projection_type = "ALL"
  }
  point_in_time_recovery {
    enabled = true
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.main.arn
  }
  ttl {
    attribute_name = "expires"
    enabled        = true
  }
}

resource "aws_sqs_queue" "main" {
  name                    = "main"
  sqs_managed_sse_enabled = true
  redrive_policy          = jsonencode({ deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:dead", maxReceiveCount = 3 })
  policy                  = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "sqs:*", Resource = "*" }] })
}

resource "aws_sqs_queue" "separate" {
  name = "separate"
}

resource "aws_sqs_queue_policy" "separate" {
  queue_url = aws_sqs_queue.separate.url
  policy    = jsonencode({ Version = "2012-10-17", Statement = [] })
}

resource "aws_sns_topic" "main" {
  name              = "main"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_policy" "main" {
  arn = aws_sns_topic.main.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { AWS = "123456789012" }, Action = "sns:Publish", Resource = aws_sns_topic.main.arn },
  ] })
}

resource "aws_sns_topic_subscription" "main" {
  topic_arn = aws_sns_topic.main.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.main.arn
}

resource "aws_s3_bucket" "trail" {
  bucket = "trail"
}

resource "aws_cloudtrail" "main" {
  name                       = "main"
  s3_bucket_name             = aws_s3_bucket.trail.id
  is_multi_region_trail      = true
  enable_log_file_validation = true
  kms_key_id                 = aws_kms_key.main.arn
  event_selector {
    read_write_type = "All"
    data_resource {
      type   = "AWS::S3::Object"
      values = ["arn:aws:s3"]
    }
  }
}

resource "aws_cloudfront_distribution" "main" {
  enabled             = true
  default_root_object = "index.html"
  web_acl_id          = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"
  origin {
    origin_id   = "bucket"
    domain_name = aws_s3_bucket.trail.bucket_regional_domain_name
    s3_origin_config {
      origin_access_identity = "origin-access-identity/cloudfront/E1"
    }
  }
  origin {
    origin_id   = "api"
    domain_name = "api.example.org"
    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }
  default_cache_behavior {
    target_origin_id       = "bucket"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    lambda_function_association {
      event_type = "viewer-request"
      lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:edge:1"
    }
  }
  ordered_cache_behavior {
    path_pattern           = "/api/*"
    target_origin_id       = "api"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
  }
  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
  viewer_certificate {
    cloudfront_default_certificate = true
  }
  logging_config {
    bucket = aws_s3_bucket.trail.bucket_domain_name
  }
}
