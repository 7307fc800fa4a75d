resource "aws_wafregional_rule" "sample" {
  metric_name = "bad"
  name        = "bad"
  predicate {
    data_id = "0aa1bbcc-1111-2222-3333-444455556666"
    negated = false
    type    = "IPMatch"
  }
}
