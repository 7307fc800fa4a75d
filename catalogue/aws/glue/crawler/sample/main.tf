resource "aws_glue_crawler" "sample" {
  database_name          = "shop"
  name                   = "orders"
  role                   = "arn:aws:iam::123456789012:role/glue"
  security_configuration = "sealed"
  s3_target {
    path = "s3://shop-data/orders"
  }
}
