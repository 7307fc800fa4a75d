resource "aws_iam_group" "sample" {
  name = "readers"
}
resource "aws_iam_group_policy" "sample" {
  name   = "read-orders"
  group  = aws_iam_group.sample.name
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::shop-orders/*"}]})
}
resource "aws_iam_group_policy_attachment" "sample" {
  group      = aws_iam_group.sample.name
  policy_arn = "arn:aws:iam::123456789012:policy/read-orders"
}
