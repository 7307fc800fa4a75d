resource "aws_appsync_api_cache" "sample" {
  api_caching_behavior       = "FULL_REQUEST_CACHING"
  api_id                     = "abcdefghijklmnop"
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  ttl                        = 300
  type                       = "SMALL"
}
