resource "aws_vpc_endpoint" "sample" {
  policy              = jsonencode({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-orders/*"}]})
  private_dns_enabled = true
  security_group_ids  = ["sg-0123456789abcdef0"]
  service_name        = "com.amazonaws.eu-west-1.s3"
  subnet_ids          = ["subnet-0123456789abcdef0", "subnet-0aaaaaaaaaaaaaaaa"]
  vpc_endpoint_type   = "Interface"
  vpc_id              = "vpc-0123456789abcdef0"
}
