resource "aws_ses_configuration_set" "sample" {
  reputation_metrics_enabled = true
  name = "orders"
  delivery_options {
    tls_policy = "Require"
  }
}
