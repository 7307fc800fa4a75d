resource "aws_securityhub_account" "sample" {
  auto_enable_controls      = true
  control_finding_generator = "SECURITY_CONTROL"
}
