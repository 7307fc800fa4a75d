resource "aws_iam_user" "sample" {
  name = "ann"
  tags = { owner = "shop" }
}
resource "aws_iam_user_group_membership" "sample" {
  user   = aws_iam_user.sample.name
  groups = ["readers"]
}
