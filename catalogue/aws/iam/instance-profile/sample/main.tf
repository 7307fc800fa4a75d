resource "aws_iam_instance_profile" "sample" {
  name = "web"
  path = "/shop/"
  role = "web"
}
