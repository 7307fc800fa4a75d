resource "aws_ecs_task_definition" "sample" {
  family                   = "web"
  cpu                      = "256"
  memory                   = "512"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  task_role_arn            = "arn:aws:iam::123456789012:role/web"
  container_definitions = jsonencode([{
    name                   = "web"
    image                  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop:1.4.2"
    user                   = "1000"
    privileged             = false
    readonlyRootFilesystem = true
    environment            = [{ name = "BUCKET", value = "shop-orders" }]
    logConfiguration       = { logDriver = "awslogs" }
  }])
  volume {
    name = "shared"
    efs_volume_configuration {
      file_system_id     = "fs-0123456789abcdef0"
      transit_encryption = "ENABLED"
    }
  }
}
