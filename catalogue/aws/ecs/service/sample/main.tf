resource "aws_ecs_service" "sample" {
  name             = "web"
  cluster          = "shop"
  task_definition  = "web"
  desired_count    = 2
  launch_type      = "FARGATE"
  platform_version = "LATEST"
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    assign_public_ip = false
    security_groups  = ["sg-0123456789abcdef0"]
    subnets          = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
  }
}
