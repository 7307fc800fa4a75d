resource "aws_db_parameter_group" "sample" {
  description = "orders"
  family      = "postgres16"
  name        = "orders"
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
  parameter {
    name  = "log_statement"
    value = "ddl"
  }
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}
