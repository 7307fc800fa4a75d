resource "aws_s3control_multi_region_access_point" "sample" {
  details {
    name = "orders"
    public_access_block {
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
    }
    region {
      bucket = "shop-orders"
    }
    region {
      bucket = "shop-orders-copy"
    }
  }
}
