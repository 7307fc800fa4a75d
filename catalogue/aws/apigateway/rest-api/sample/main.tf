resource "aws_api_gateway_rest_api" "sample" {
  name                         = "orders"
  description                  = "Orders of the shop"
  api_key_source               = "HEADER"
  disable_execute_api_endpoint = true
  minimum_compression_size     = "1024"
  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_rest_api_policy" "sample" {
  rest_api_id = aws_api_gateway_rest_api.sample.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::123456789012:role/web" }
      Action    = "execute-api:Invoke"
      Resource  = "execute-api:/*"
    }]
  })
}
