resource "aws_networkfirewall_firewall_policy" "sample" {
  name = "edge"
  firewall_policy {
    stateful_default_actions           = ["aws:drop_established"]
    stateless_default_actions          = ["aws:forward_to_sfe"]
    stateless_fragment_default_actions = ["aws:forward_to_sfe"]
    stateful_engine_options {
      rule_order = "STRICT_ORDER"
    }
    stateful_rule_group_reference {
      priority     = 1
      resource_arn = "arn:aws:network-firewall:eu-central-1:123456789012:stateful-rulegroup/out"
    }
  }
}
