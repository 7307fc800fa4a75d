resource "aws_sagemaker_model" "sample" {
  enable_network_isolation = true
  execution_role_arn       = "arn:aws:iam::123456789012:role/model"
  name                     = "prices"
  primary_container {
    image          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/prices:1"
    model_data_url = "s3://shop-models/prices.tar.gz"
  }
  vpc_config {
    security_group_ids = ["sg-0123456789abcdef0"]
    subnets            = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  }
}
