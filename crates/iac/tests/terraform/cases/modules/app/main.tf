variable "name" {}
variable "vpc_id" {}
variable "subnets" {}
variable "key_arn" {}

resource "aws_security_group" "this" {
  name   = var.name
  vpc_id = var.vpc_id
}

resource "aws_lb" "this" {
  name                       = var.name
  subnets                    = var.subnets
  security_groups            = [aws_security_group.this.id]
  drop_invalid_header_fields = true
}

module "queue" {
  source  = "./queue"
  key_arn = var.key_arn
  levels  = ["high", "low"]
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  role          = "arn:aws:iam::123456789012:role/app"
  runtime       = "python3.13"
  handler       = "app.handler"
  s3_bucket     = "code"
  s3_key        = "app.zip"
  vpc_config {
    subnet_ids         = var.subnets
    security_group_ids = [aws_security_group.this.id]
  }
  dead_letter_config {
    target_arn = module.queue.arns["low"]
  }
}

output "queue_arns" {
  value = module.queue.arns
}
