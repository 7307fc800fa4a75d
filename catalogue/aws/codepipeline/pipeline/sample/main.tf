resource "aws_codepipeline" "sample" {
  name          = "shop"
  pipeline_type = "V2"
  role_arn      = "arn:aws:iam::123456789012:role/pipeline"
  artifact_store {
    location = "shop-artifacts"
    type     = "S3"
    encryption_key {
      id   = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
      type = "KMS"
    }
  }
  stage {
    name = "Source"
    action {
      category         = "Source"
      name             = "Code"
      output_artifacts = ["code"]
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
    }
  }
  stage {
    name = "Build"
    action {
      category        = "Build"
      input_artifacts = ["code"]
      name            = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
    }
  }
}
