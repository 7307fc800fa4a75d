resource "aws_wafv2_rule_group" "sample" {
  capacity = 10
  name     = "shop"
  scope    = "REGIONAL"
  rule {
    name     = "geo"
    priority = 1
    action {
      block {
      }
    }
    statement {
      geo_match_statement {
        country_codes = ["KP"]
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "m"
      sampled_requests_enabled   = true
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "m"
    sampled_requests_enabled   = true
  }
}
