resource "aws_ecr_repository" "sample" {
  name                 = "shop"
  image_tag_mutability = "IMMUTABLE"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = "arn:aws:kms:eu-central-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666"
  }
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "old" {
  repository = aws_ecr_repository.sample.name
  policy     = jsonencode({ rules = [] })
}
