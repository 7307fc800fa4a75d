resource "aws_emr_cluster" "sample" {
  name                   = "numbers"
  release_label          = "emr-7.3.0"
  service_role           = "EMR_DefaultRole"
  log_uri                = "s3://shop-logs/emr/"
  security_configuration = "encrypted"
  applications           = ["Spark"]
  ec2_attributes {
    instance_profile = "EMR_EC2_DefaultRole"
    subnet_id        = "subnet-0123456789abcdef0"
  }
  master_instance_group {
    instance_type = "m7g.xlarge"
  }
  core_instance_group {
    instance_type  = "m7g.xlarge"
    instance_count = 2
  }
}
