resource "aws_docdb_cluster_parameter_group" "sample" {
  description = "sealed"
  family      = "docdb5.0"
  name        = "sealed"
  parameter {
    name  = "audit_logs"
    value = "enabled"
  }
  parameter {
    name  = "tls"
    value = "enabled"
  }
}
