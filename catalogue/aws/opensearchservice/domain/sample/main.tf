resource "aws_opensearch_domain" "sample" {
  domain_name    = "shop-search"
  engine_version = "OpenSearch_2.19"
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::123456789012:role/search" }
      Action    = "es:ESHttp*"
      Resource  = "*"
    }]
  })
  advanced_security_options {
    enabled = true
  }
  cluster_config {
    instance_type            = "m7g.large.search"
    dedicated_master_count   = 3
    dedicated_master_enabled = true
    instance_count           = 3
    zone_awareness_enabled   = true
  }
  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }
  encrypt_at_rest {
    enabled    = true
    kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  }
  log_publishing_options {
    log_type                 = "AUDIT_LOGS"
    cloudwatch_log_group_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:search-audit"
  }
  log_publishing_options {
    log_type                 = "ES_APPLICATION_LOGS"
    cloudwatch_log_group_arn = "arn:aws:logs:eu-central-1:123456789012:log-group:search"
  }
  node_to_node_encryption {
    enabled = true
  }
  vpc_options {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0123456789abcdef0"]
  }
}
