resource "aws_redshift_parameter_group" "sample" {
  description = "sealed"
  family      = "redshift-1.0"
  name        = "sealed"
  parameter {
    name  = "require_ssl"
    value = "true"
  }
  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }
}
