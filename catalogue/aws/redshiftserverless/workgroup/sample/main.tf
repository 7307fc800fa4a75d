resource "aws_redshiftserverless_workgroup" "sample" {
  base_capacity        = 8
  enhanced_vpc_routing = true
  namespace_name       = "reports"
  publicly_accessible  = false
  security_group_ids   = ["sg-0123456789abcdef0"]
  subnet_ids           = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
  workgroup_name       = "reports"
  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }
}
