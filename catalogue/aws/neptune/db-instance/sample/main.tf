resource "aws_neptune_cluster_instance" "sample" {
  auto_minor_version_upgrade = true
  cluster_identifier         = "friends"
  identifier                 = "friends-1"
  instance_class             = "db.r6g.large"
  publicly_accessible        = false
}
