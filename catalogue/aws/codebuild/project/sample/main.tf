resource "aws_codebuild_project" "sample" {
  build_timeout      = 30
  encryption_key     = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  name               = "shop"
  project_visibility = "PRIVATE"
  service_role       = "arn:aws:iam::123456789012:role/builds"
  artifacts {
    location = "shop-artifacts"
    type     = "S3"
  }
  environment {
    compute_type    = "BUILD_GENERAL1_SMALL"
    image           = "aws/codebuild/amazonlinux2-x86_64-standard:5.0"
    privileged_mode = false
    type            = "LINUX_CONTAINER"
    environment_variable {
      name  = "STAGE"
      type  = "PLAINTEXT"
      value = "prod"
    }
  }
  logs_config {
    cloudwatch_logs {
      group_name = "builds"
      status     = "ENABLED"
    }
  }
  source {
    location = "https://github.com/example/shop"
    type     = "GITHUB"
  }
}
