resource "aws_cloudwatch_event_endpoint" "sample" {
  name     = "orders"
  role_arn = "arn:aws:iam::123456789012:role/events"
  event_bus {
    event_bus_arn = "arn:aws:events:eu-central-1:123456789012:event-bus/orders"
  }
  event_bus {
    event_bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/orders"
  }
  replication_config {
    state = "ENABLED"
  }
  routing_config {
    failover_config {
      primary {
        health_check = "arn:aws:route53:::healthcheck/1"
      }
      secondary {
        route = "eu-west-1"
      }
    }
  }
}
