resource "aws_autoscaling_group" "sample" {
  name                      = "shop"
  capacity_rebalance        = true
  health_check_grace_period = 120
  health_check_type         = "ELB"
  max_size                  = 6
  min_size                  = 2
  target_group_arns         = ["arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop/0123456789abcdef"]
  vpc_zone_identifier       = ["subnet-0123456789abcdef0", "subnet-0aaaaaaaaaaaaaaaa"]
  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = "lt-0123456789abcdef0"
        version            = "3"
      }
      override {
        instance_type = "m7g.large"
      }
      override {
        instance_type = "m6g.large"
      }
    }
  }
}
