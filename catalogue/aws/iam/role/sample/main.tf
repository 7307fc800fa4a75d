resource "aws_iam_role" "sample" {
  name                 = "app"
  description          = "The application"
  max_session_duration = 3600
  assume_role_policy   = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}]})
}
resource "aws_iam_role_policy" "sample" {
  name   = "read-orders"
  role   = aws_iam_role.sample.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::shop-orders/*"}]})
}
resource "aws_iam_role_policy_attachment" "sample" {
  role       = aws_iam_role.sample.name
  policy_arn = "arn:aws:iam::123456789012:policy/read-orders"
}
