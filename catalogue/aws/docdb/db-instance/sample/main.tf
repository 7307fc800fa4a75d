resource "aws_docdb_cluster_instance" "sample" {
  auto_minor_version_upgrade = true
  cluster_identifier         = "catalogue"
  identifier                 = "catalogue-1"
  instance_class             = "db.r6g.large"
}
