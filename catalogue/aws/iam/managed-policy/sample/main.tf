resource "aws_iam_policy" "sample" {
  name        = "read-orders"
  description = "Read orders"
  policy      = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::shop-orders/*"}]})
}
resource "aws_iam_role_policy_attachment" "app" {
  role       = "app"
  policy_arn = aws_iam_policy.sample.arn
}
