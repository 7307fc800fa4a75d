resource "aws_transfer_server" "sample" {
  endpoint_type               = "VPC"
  identity_provider_type      = "SERVICE_MANAGED"
  logging_role                = "arn:aws:iam::123456789012:role/transfer-logs"
  protocols                   = ["SFTP"]
  security_policy_name        = "TransferSecurityPolicy-2024-01"
  structured_log_destinations = ["arn:aws:logs:eu-central-1:123456789012:log-group:transfer:*"]
  endpoint_details {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnet_ids         = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    vpc_id             = "vpc-0123456789abcdef0"
  }
}
