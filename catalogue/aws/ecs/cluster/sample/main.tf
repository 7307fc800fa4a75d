resource "aws_ecs_cluster" "sample" {
  name = "shop"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}
