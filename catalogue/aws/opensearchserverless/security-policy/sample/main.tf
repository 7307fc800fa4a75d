resource "aws_opensearchserverless_security_policy" "sample" {
  name   = "products"
  policy = "[{\"Rules\":[{\"ResourceType\":\"collection\",\"Resource\":[\"collection/products\"]}],\"AllowFromPublic\":false,\"SourceVPCEs\":[\"vpce-0123456789abcdef0\"]}]"
  type   = "network"
}
