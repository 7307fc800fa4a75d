resource "aws_s3_access_point" "sample" {
  bucket = "shop-orders"
  name   = "reports"
  public_access_block_configuration {
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
  }
  vpc_configuration {
    vpc_id = "vpc-0123456789abcdef0"
  }
}
