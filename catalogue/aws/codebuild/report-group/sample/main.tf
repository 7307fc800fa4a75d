resource "aws_codebuild_report_group" "sample" {
  name = "tests"
  type = "TEST"
  export_config {
    type = "S3"
    s3_destination {
      bucket         = "shop-reports"
      encryption_key = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
      packaging      = "ZIP"
    }
  }
}
