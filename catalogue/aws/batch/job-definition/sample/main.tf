resource "aws_batch_job_definition" "sample" {
  container_properties = jsonencode({
    "Command" = ["run"]
    "Environment" = [{
      "Name"  = "STAGE"
      "Value" = "prod"
    }]
    "Image"      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/job:1"
    "JobRoleArn" = "arn:aws:iam::123456789012:role/job"
    "LogConfiguration" = {
      "LogDriver" = "awslogs"
    }
    "Privileged"             = false
    "ReadonlyRootFilesystem" = true
    "ResourceRequirements" = [{
      "Type"  = "VCPU"
      "Value" = "1"
      }, {
      "Type"  = "MEMORY"
      "Value" = "2048"
    }]
    "User" = "1000"
  })
  name = "report"
  type = "container"
}
