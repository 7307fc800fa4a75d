resource "aws_vpc_endpoint_service_allowed_principal" "sample" {
  principal_arn           = "arn:aws:iam::123456789012:root"
  vpc_endpoint_service_id = "vpce-svc-0123456789abcdef0"
}
