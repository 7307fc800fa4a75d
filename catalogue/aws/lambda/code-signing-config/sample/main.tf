resource "aws_lambda_code_signing_config" "sample" {
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:eu-central-1:123456789012:/signing-profiles/shop/abcdefghij"]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}
