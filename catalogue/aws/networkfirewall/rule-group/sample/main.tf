resource "aws_networkfirewall_rule_group" "sample" {
  capacity = 100
  name     = "no-telnet"
  type     = "STATELESS"
  rule_group {
    rules_source {
      stateless_rules_and_custom_actions {
        stateless_rule {
          priority = 1
          rule_definition {
            actions = ["aws:drop"]
            match_attributes {
              protocols = [23]
            }
          }
        }
      }
    }
  }
}
