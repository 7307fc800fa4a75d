resource "aws_iot_policy" "sample" {
  name = "sensor"
  policy = jsonencode({
    "Statement" = [{
      "Action"   = ["iot:Connect"]
      "Effect"   = "Allow"
      "Resource" = "arn:aws:iot:eu-central-1:123456789012:client/$${iot:Connection.Thing.ThingName}"
    }]
    "Version" = "2012-10-17"
  })
}
