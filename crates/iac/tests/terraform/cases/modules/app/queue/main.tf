variable "key_arn" {}
variable "levels" {}

resource "aws_sqs_queue" "this" {
  for_each          = toset(var.levels)
  kms_master_key_id = var.key_arn
}

output "arns" {
  value = { for level, queue in aws_sqs_queue.this : level => queue.arn }
}
