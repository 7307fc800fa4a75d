resource "aws_ssm_document" "sample" {
  name            = "restart"
  document_format = "JSON"
  document_type   = "Command"
  content         = jsonencode({"schemaVersion": "2.2", "description": "Restart", "mainSteps": [{"action": "aws:runShellScript", "name": "restart", "inputs": {"runCommand": ["systemctl restart shop"]}}]})
}
