resource "aws_transfer_connector" "sample" {
  access_role  = "arn:aws:iam::123456789012:role/transfer"
  logging_role = "arn:aws:iam::123456789012:role/transfer-logs"
  url          = "sftp://partner.example.com"
  sftp_config {
    trusted_host_keys = ["ssh-rsa AAAA"]
    user_secret_id    = "sftp-partner"
  }
}
