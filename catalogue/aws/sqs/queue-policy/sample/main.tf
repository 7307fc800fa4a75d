resource "aws_sqs_queue_policy" "sample" {
  queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"
  policy    = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-central-1:123456789012:orders", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-central-1:123456789012:orders"}]})
}
