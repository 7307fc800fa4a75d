resource "aws_s3_bucket_policy" "sample" {
  bucket = "shop-orders"
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::shop-orders", "arn:aws:s3:::shop-orders/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})
}
