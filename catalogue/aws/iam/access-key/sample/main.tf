resource "aws_iam_access_key" "sample" {
  user   = "ann"
  status = "Inactive"
}
