resource "aws_cloudwatch_event_bus" "sample" {
  name = "orders"
}

resource "aws_cloudwatch_event_bus_policy" "sample" {
  event_bus_name = aws_cloudwatch_event_bus.sample.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Payments"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::444455556666:root" }
      Action    = "events:PutEvents"
      Resource  = "arn:aws:events:eu-central-1:123456789012:event-bus/orders"
    }]
  })
}
