resource "aws_ec2_client_vpn_endpoint" "sample" {
  client_cidr_block      = "10.9.0.0/22"
  server_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/abcd1234-12ab-34cd-56ef-1234567890ab"
  authentication_options {
    type                       = "certificate-authentication"
    root_certificate_chain_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  connection_log_options {
    enabled              = true
    cloudwatch_log_group = "/vpn/clients"
  }
}
