resource "aws_sns_topic_policy" "sample" {
  arn    = "arn:aws:sns:eu-central-1:123456789012:orders"
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "arn:aws:sns:eu-central-1:123456789012:orders", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sns:Publish", "Resource": "arn:aws:sns:eu-central-1:123456789012:orders"}]})
}
