resource "aws_connect_instance" "sample" {
  contact_flow_logs_enabled = true
  identity_management_type  = "SAML"
  inbound_calls_enabled     = true
  instance_alias            = "shop-helpdesk"
  outbound_calls_enabled    = false
}
