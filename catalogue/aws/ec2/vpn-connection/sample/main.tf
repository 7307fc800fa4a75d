resource "aws_vpn_connection" "sample" {
  customer_gateway_id  = "cgw-0123456789abcdef0"
  transit_gateway_id   = "tgw-0123456789abcdef0"
  type                 = "ipsec.1"
  tunnel1_ike_versions = ["ikev2"]
  tunnel2_ike_versions = ["ikev2"]
  tunnel1_log_options {
    cloudwatch_log_options {
      log_enabled   = true
      log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/vpn/site:*"
    }
  }
  tunnel2_log_options {
    cloudwatch_log_options {
      log_enabled   = true
      log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/vpn/site:*"
    }
  }
}
