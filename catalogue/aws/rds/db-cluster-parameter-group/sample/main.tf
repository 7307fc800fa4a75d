resource "aws_rds_cluster_parameter_group" "sample" {
  description = "orders"
  family      = "aurora-mysql8.0"
  name        = "orders"
  parameter {
    name  = "require_secure_transport"
    value = "ON"
  }
  parameter {
    name  = "server_audit_events"
    value = "CONNECT,QUERY_DDL"
  }
  parameter {
    name  = "server_audit_logging"
    value = "1"
  }
  parameter {
    name  = "server_audit_logs_upload"
    value = "1"
  }
}
