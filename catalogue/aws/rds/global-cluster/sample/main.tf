resource "aws_rds_global_cluster" "sample" {
  deletion_protection       = true
  engine                    = "aurora-postgresql"
  engine_version            = "16.4"
  global_cluster_identifier = "orders"
  storage_encrypted         = true
}
