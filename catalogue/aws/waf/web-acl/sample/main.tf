resource "aws_waf_web_acl" "sample" {
  metric_name = "shop"
  name        = "shop"
  default_action {
    type = "ALLOW"
  }
  rules {
    priority = 1
    rule_id  = "0aa1bbcc-1111-2222-3333-444455556666"
    action {
      type = "BLOCK"
    }
  }
}
