resource "aws_elasticsearch_domain" "sample" {
  access_policies = jsonencode({
    "Statement" = [{
      "Action" = "es:ESHttp*"
      "Effect" = "Allow"
      "Principal" = {
        "AWS" = "arn:aws:iam::123456789012:role/search"
      }
      "Resource" = "*"
    }]
    "Version" = "2012-10-17"
  })
  domain_name           = "products"
  elasticsearch_version = "7.10"
  advanced_security_options {
    enabled                        = true
    internal_user_database_enabled = false
    master_user_options {
      master_user_arn = "arn:aws:iam::123456789012:role/search-admin"
    }
  }
  cluster_config {
    dedicated_master_count   = 3
    dedicated_master_enabled = true
    instance_count           = 3
    instance_type            = "m5.large.elasticsearch"
    zone_awareness_enabled   = true
    zone_awareness_config {
      availability_zone_count = 3
    }
  }
  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-2019-07"
  }
  ebs_options {
    ebs_enabled = true
    volume_size = 100
    volume_type = "gp3"
  }
  encrypt_at_rest {
    enabled    = true
    kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  }
  node_to_node_encryption {
    enabled = true
  }
  vpc_options {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }
  log_publishing_options {
    log_type                 = "AUDIT_LOGS"
    cloudwatch_log_group_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:audit"
  }
  log_publishing_options {
    log_type                 = "ES_APPLICATION_LOGS"
    cloudwatch_log_group_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:errors"
  }
}
