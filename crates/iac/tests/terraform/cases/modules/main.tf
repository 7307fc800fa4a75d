# Links across modules: inputs, outputs, instances of modules, nested modules.

resource "aws_kms_key" "main" {}

module "net" {
  source = "./net"
  cidr   = "10.0.0.0/16"
}

module "app" {
  source   = "./app"
  for_each = toset(["blue", "green"])
  name     = each.key
  vpc_id   = module.net.vpc_id
  subnets  = module.net.subnet_ids
  key_arn  = aws_kms_key.main.arn
}

resource "aws_sns_topic_subscription" "blue" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "sqs"
  endpoint  = module.app["blue"].queue_arns["high"]
}

resource "aws_sns_topic" "alarms" {
  kms_master_key_id = aws_kms_key.main.id
}

# Which bucket is not said before apply: every bucket without its own versioning is in doubt.
locals {
  bucket = aws_s3_bucket.site.id
}

resource "aws_s3_bucket" "site" {}

resource "aws_s3_bucket_versioning" "site" {
  bucket = local.bucket
  versioning_configuration {
    status = "Enabled"
  }
}
